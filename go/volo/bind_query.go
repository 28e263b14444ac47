// SPDX-License-Identifier: Apache-2.0

package volo

import "strings"

// Pairs of a query or a form are looked for in the text itself: most have a
// few names, each wanted once.

// nextPair cuts the next pair off a query; ok is false at its end.
func nextPair(rest string) (name, value, after string, ok bool) {
	for rest != "" {
		var piece string
		piece, rest, _ = strings.Cut(rest, "&")
		if piece != "" {
			name, value, _ = strings.Cut(piece, "=")
			return name, value, rest, true
		}
	}
	return "", "", "", false
}

// nameIs compares an encoded name with a plain one; one with a broken escape
// is like no name.
func nameIs(encoded, plain string) bool {
	if !isEncoded(encoded) {
		return encoded == plain
	}
	text, ok := unescape(encoded)
	return ok && text == plain
}

func isEncoded(s string) bool {
	return strings.IndexByte(s, '%') >= 0 || strings.IndexByte(s, '+') >= 0
}

// unescape decodes once; false for a broken escape.
func unescape(s string) (string, bool) {
	if !isEncoded(s) {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high > 15 || low > 15 {
				return "", false
			}
			b = append(b, high<<4|low)
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// findCookie gives the value of a cookie in one Cookie field, without its
// quotes.
func findCookie(field, name string) (string, bool) {
	for field != "" {
		var piece string
		piece, field, _ = strings.Cut(field, ";")
		key, value, ok := strings.Cut(piece, "=")
		if ok && strings.TrimSpace(key) == name {
			return unquote(strings.TrimSpace(value)), true
		}
	}
	return "", false
}
