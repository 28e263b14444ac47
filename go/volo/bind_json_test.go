// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestMembersAreFoundAsTheDecoderFindsThem(t *testing.T) {
	names := []string{"a", "b", "ü", "q\"t"}
	for text, want := range map[string][]bool{
		`{}`:                              {false, false, false, false},
		` { "a" : 1 } `:                   {true, false, false, false},
		`{"a":null,"b":"a"}`:              {false, true, false, false},
		`{"x":{"a":1},"b":[{"a":1},"a"]}`: {false, true, false, false},
		`{"x":"}\"a\":1","B":false}`:      {false, true, false, false},
		`{"\u0061":[],"\u00fc":-1e5}`:     {true, false, true, false},
		`{"Ü":0,"q\"t":"","b":true}`:      {false, true, true, true},
		`{"x":[[],[{}],"\\"],"a":{}}`:     {true, false, false, false},
	} {
		seen := make([]bool, len(names))
		if !json.Valid([]byte(text)) {
			t.Fatal(text)
		}
		if !markMembers([]byte(text), names, seen) || !reflect.DeepEqual(seen, want) {
			t.Errorf("%s: %v", text, seen)
		}
	}
	for _, text := range []string{`[]`, `"a"`, `1`, ` null`} {
		if markMembers([]byte(text), names, make([]bool, len(names))) {
			t.Errorf("%s is an object", text)
		}
	}
}

// FuzzMembers compares with encoding/json whatever it takes for an object.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"b":{"a":[1,"]"]},"a":null}`,
		` {"a" :"\"}" , "b":[{}]}`, `{"\u0061":0,"A":1}`} {
		f.Add([]byte(seed))
	}
	names := []string{"a", "b"}
	f.Fuzz(func(t *testing.T, data []byte) {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil || object == nil {
			return
		}
		seen := make([]bool, len(names))
		if !markMembers(data, names, seen) {
			t.Fatalf("%q is no object", data)
		}
		for i, name := range names {
			if raw, ok := object[name]; ok && string(raw) != "null" && !seen[i] {
				t.Errorf("%q: %s is not seen", data, name)
			}
		}
	})
}
