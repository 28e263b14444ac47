// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"unsafe"

	"libvolo/go/volo/internal/cvolo"
)

// canonical are the names of well-known fields, by their number in
// volo/field.h, as net/http writes them.
var canonical = [...]string{
	1: "Accept", 2: "Accept-Encoding", 3: "Accept-Language", 4: "Accept-Ranges",
	5: "Access-Control-Request-Headers", 6: "Access-Control-Request-Method",
	7: "Age", 8: "Allow", 9: "Authorization", 10: "Cache-Control",
	11: "Connection", 12: "Content-Disposition", 13: "Content-Encoding",
	14: "Content-Language", 15: "Content-Length", 16: "Content-Range",
	17: "Content-Type", 18: "Cookie", 19: "Date", 20: "Etag", 21: "Expect",
	22: "Expires", 23: "Forwarded", 24: "Host", 25: "Http2-Settings",
	26: "If-Match", 27: "If-Modified-Since", 28: "If-None-Match",
	29: "If-Range", 30: "If-Unmodified-Since", 31: "Keep-Alive",
	32: "Last-Modified", 33: "Link", 34: "Location", 35: "Origin",
	36: "Proxy-Connection", 37: "Range", 38: "Referer", 39: "Retry-After",
	40: "Server", 41: "Set-Cookie", 42: "Te", 43: "Trailer",
	44: "Transfer-Encoding", 45: "Upgrade", 46: "User-Agent", 47: "Vary",
	48: "Via", 49: "Www-Authenticate", 50: "X-Forwarded-For",
	51: "X-Forwarded-Host", 52: "X-Forwarded-Proto", 53: "X-Real-Ip",
	54: "X-Request-Id",
}

// The fields that are looked at here.
const (
	fieldConnection       = 11
	fieldHost             = 24
	fieldTrailer          = 43
	fieldTransferEncoding = 44
)

// strs cuts copies of octets that are not ours from one allocation.
type strs struct{ left []byte }

func (s *strs) copy(from cvolo.Str) string {
	copy(s.left, from.Bytes())
	return s.cut(int(from.Len))
}

// cut takes the n octets that have been written there.
func (s *strs) cut(n int) string {
	if n == 0 {
		return ""
	}
	text := unsafe.String(unsafe.SliceData(s.left), n)
	s.left = s.left[n:]
	return text
}

// sizeOf is how many octets of a request are copied.
func sizeOf(job *cvolo.Job) int {
	n := job.Target.Len + job.MethodName.Len
	for i := range job.Headers() {
		pair := &job.Headers()[i]
		n += pair.Value.Len
	}
	return int(n)
}

// values is room for the values of a request's fields.
type values [12]string

// fillHeader makes the header of a request as net/http does: Host,
// Transfer-Encoding and Trailer are not in it.
func fillHeader(req *http.Request, job *cvolo.Job, text *strs, room *values) {
	pairs := job.Headers()
	header := make(http.Header, len(pairs))
	left := room[:]
	if len(pairs) > len(left) {
		left = make([]string, len(pairs))
	}
	for i := range pairs {
		pair := &pairs[i]
		value := text.copy(pair.Value)
		switch pair.ID {
		case fieldHost:
			req.Host = value
			continue
		case fieldTransferEncoding:
			req.TransferEncoding = []string{"chunked"}
			continue
		case fieldTrailer:
			announce(req, value)
			continue
		case fieldConnection:
			req.Close = req.Close || hasToken(value, "close")
		}
		left[0] = value
		name := nameOf(pair)
		if have := header[name]; have != nil {
			header[name] = append(have, value)
		} else {
			header[name] = left[:1:1]
		}
		left = left[1:]
	}
	if job.Version < 20 {
		fixPragma(header)
	}
	req.Header = header
}

func nameOf(pair *cvolo.Pair) string {
	if pair.ID > 0 && int(pair.ID) < len(canonical) {
		return canonical[pair.ID]
	}
	return textproto.CanonicalMIMEHeaderKey(pair.Name.String())
}

// announce puts the names of trailers to come into the request, as net/http
// does; their values are there once the body has been read.
func announce(req *http.Request, names string) {
	for name := range strings.SplitSeq(names, ",") {
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		if name == "" {
			continue
		}
		if req.Trailer == nil {
			req.Trailer = http.Header{}
		}
		req.Trailer[name] = nil
	}
}

// fixPragma means by "Pragma: no-cache" what caches do (RFC 9111 section 5.4).
func fixPragma(header http.Header) {
	if pragma := header["Pragma"]; len(pragma) > 0 && pragma[0] == "no-cache" {
		if _, ok := header["Cache-Control"]; !ok {
			header["Cache-Control"] = []string{"no-cache"}
		}
	}
}

// hasToken says whether a comma-separated list has a token, in any case.
func hasToken(list, token string) bool {
	for list != "" {
		var item string
		item, list, _ = strings.Cut(list, ",")
		if strings.EqualFold(strings.TrimSpace(item), token) {
			return true
		}
	}
	return false
}

// methodOf is the name of a method; the common ones cost no copy.
func methodOf(job *cvolo.Job, text *strs) string {
	switch view := job.MethodName.View(); view {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodHead:
		return http.MethodHead
	case http.MethodPost:
		return http.MethodPost
	case http.MethodPut:
		return http.MethodPut
	case http.MethodPatch:
		return http.MethodPatch
	case http.MethodDelete:
		return http.MethodDelete
	case http.MethodOptions:
		return http.MethodOptions
	}
	return text.copy(job.MethodName)
}

// fillURL makes of a target what net/http makes of it.
func fillURL(to *url.URL, method, target string) error {
	path, query, _ := strings.Cut(target, "?")
	if isPlainPath(path) && (query != "" || len(path) == len(target)) {
		to.Path, to.RawQuery = path, query
		return nil
	}
	// The target of CONNECT is an authority alone.
	authority := method == http.MethodConnect && !strings.HasPrefix(target, "/")
	if authority {
		target = "http://" + target
	}
	made, err := url.ParseRequestURI(target)
	if err != nil {
		return err
	}
	*to = *made
	if authority {
		to.Scheme = ""
	}
	return nil
}

// isPlainPath says whether a path is its own encoding.
func isPlainPath(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for i := 0; i < len(path); i++ {
		if !plainPath[path[i]] {
			return false
		}
	}
	return true
}

var plainPath = func() (table [256]bool) {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" +
		"0123456789-_.~$&+,/:;=@"
	for i := range len(plain) {
		table[plain[i]] = true
	}
	return table
}()
