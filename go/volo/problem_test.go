// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestAnErrorIsTextForWhoDoesNotNameJSON(t *testing.T) {
	for _, one := range []struct {
		err  *HTTPError
		want string
	}{
		{Error(404, ""), "Not Found\n"},
		{Error(404, "not found"), "Not Found\n"},
		{Error(404, "no such user"), "Not Found: no such user\n"},
		{Error(418, "short and stout"), "418: short and stout\n"},
		{Error(0, ""), "Internal Server Error\n"},
		{Error(200, "no error"), "Internal Server Error: no error\n"},
		{Error(400, "a\r\nb\x7f"), "Bad Request: a??b?\n"},
		{Reject(422, "limit", "query", "is out of range"),
			"Unprocessable Content\nquery limit: is out of range\n"},
		{Reject(400, "body", "body", "is missing"),
			"Bad Request\nbody: is missing\n"},
		{Reject(413, "", "body", "is too large"),
			"Content Too Large\nbody: is too large\n"},
	} {
		kind, body := one.err.render("*/*")
		if kind != "text/plain; charset=utf-8" || string(body) != one.want {
			t.Errorf("%v: %s %q", one.err, kind, body)
		}
	}
}

func TestAnErrorIsAProblemForWhoNamesJSON(t *testing.T) {
	err := Reject(422, "na\"me\x01\xff", "query", "is bad")
	err.Detail = "all of it"
	want := `{"title":"Unprocessable Content","status":422,"detail":"all of it",` +
		`"errors":[{"field":"na\"me\u0001\u00ff","in":"query","reason":"is bad"}]}`
	kind, body := err.render("text/html, application/json;q=0.5")
	if kind != "application/problem+json" || string(body) != want {
		t.Errorf("%s %s", kind, body)
	}
	if !json.Valid(body) {
		t.Error("it is no JSON")
	}
}

func TestWhoWantsJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                                 false,
		"*/*":                              false,
		"application/*":                    false,
		"text/html":                        false,
		"application/json":                 true,
		"Application/Problem+JSON":         true,
		"text/html , application/json;q=1": true,
		"application/json;q=0":             false,
		"application/json; q=0.000":        false,
		"application/json;v=2;q=0.1":       true,
	} {
		if got := wantsJSON(accept); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

func TestAnErrorKeepsItsCause(t *testing.T) {
	err := Errorf(502, "upstream: %w", io.ErrUnexpectedEOF)
	wrapped := fmt.Errorf("handler: %w", err)
	var found *HTTPError
	if !errors.As(wrapped, &found) || found.StatusCode() != 502 {
		t.Errorf("%v", found)
	}
	if !errors.Is(wrapped, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if got := err.Error(); got != "502 Bad Gateway: upstream: unexpected EOF" {
		t.Error(got)
	}
	hidden := &HTTPError{Status: 500, Err: io.EOF}
	if got := hidden.Error(); got != "500 Internal Server Error: EOF" {
		t.Error(got)
	}
	if _, body := hidden.render(""); string(body) != "Internal Server Error\n" {
		t.Errorf("the client is told the cause: %s", body)
	}
}
