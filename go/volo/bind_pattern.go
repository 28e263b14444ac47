// SPDX-License-Identifier: Apache-2.0

package volo

import "strings"

// paramsOf are the names of the parameters of a pattern, or of several behind
// each other.
func paramsOf(pattern string) map[string]bool {
	names := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(pattern, "{")
		if !ok {
			return names
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
