// SPDX-License-Identifier: Apache-2.0

package volo

import "strings"

// checkParams asks a handler that knows which parameters of the path it wants.
func (r *Router) checkParams(pattern string, h Handler) error {
	typed, ok := h.(interface {
		checkParams(pattern string, params map[string]bool) error
	})
	if !ok {
		return nil
	}
	params := map[string]bool{}
	addParams(params, r.fullPattern(pattern))
	for outer := r; outer != nil; outer = outer.parent {
		addParams(params, outer.host)
	}
	return typed.checkParams(r.fullPattern(pattern), params)
}

// addParams adds the names of the parameters of a pattern.
func addParams(names map[string]bool, pattern string) {
	for {
		_, rest, ok := strings.Cut(pattern, "{")
		if !ok {
			return
		}
		if strings.HasPrefix(rest, "{") { // an escaped brace
			pattern = rest[1:]
			continue
		}
		name, after, _ := strings.Cut(rest, "}")
		names[strings.TrimPrefix(name, "*")] = true
		pattern = after
	}
}
