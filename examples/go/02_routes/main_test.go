// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"strings"
	"testing"

	"libvolo/go/volo/volotest"
)

func TestEachRouteGetsItsInput(t *testing.T) {
	c := volotest.New(t, newRouter())
	const form = "application/x-www-form-urlencoded"
	post := func(target, kind, body string) *volotest.Response {
		return c.Post(target, kind, []byte(body))
	}
	for _, one := range []struct {
		got    *volotest.Response
		status int
		body   string
	}{
		{c.Get("/users/42?lang=fr"), 200, `{"id":42,"lang":"fr"}`},
		{c.Get("/users/42"), 200, `{"id":42,"lang":"en"}`},
		{c.Get("/users/forty-two"), 400, "Bad Request\npath id: must be an unsigned integer\n"},
		{c.Get("/search?tag=a&tag=b&exact"), 200, "2 tags, at most 10, exact, by nobody\n"},
		{post("/form", form, "name=Ada&age=36"), 200, "Ada is 36\n"},
		{post("/form", form, "name=Ada&age=-1"), 422, "Unprocessable Content\nform age: is negative\n"},
		{post("/distance", "application/json", `{"x":3,"y":4}`), 200, "25\n"},
		{post("/distance", "application/json", `{"x":3}`), 422, "Unprocessable Content\nbody y: is missing\n"},
		{c.Get("/colour/ff8800"), 200, "red 255, green 136, blue 0\n"},
		{c.Get("/colour/blue"), 422, "Unprocessable Content\npath code: is not six hex digits\n"},
		{c.Get("/files/a/b/c.txt"), 200, "a/b/c.txt"},
		{c.Get("/api/v1/version"), 200, "0.1.0"},
	} {
		if one.got.Status != one.status || one.got.Text() != one.body {
			t.Errorf("%s\nwant %d %s", one.got, one.status, one.body)
		}
	}
	if r := post("/form", "application/json", "{}"); r.Status != 415 {
		t.Error(r)
	}
	for _, target := range []string{"/nothing", "/api/v1/nothing"} {
		if r := c.Get(target); r.Status != 404 || !strings.Contains(r.Text(), "/users/42") {
			t.Error(r)
		}
	}
	r := c.Do(volotest.Request{Target: "/search", Header: http.Header{"User-Agent": {"me"}}})
	if !strings.HasSuffix(r.Text(), "by somebody\n") {
		t.Error(r)
	}
}
