// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// refused says why a handler with that input cannot be made.
func refused[In any](t *testing.T) string {
	t.Helper()
	_, err := TypedHandler(func(context.Context, In) (string, error) { return "", nil })
	var bad *BindError
	if !errors.As(err, &bad) {
		t.Errorf("%T is accepted: %v", *new(In), err)
		return ""
	}
	if !strings.HasPrefix(bad.Handler, "libvolo/go/volo.refused") {
		t.Errorf("the handler is called %q", bad.Handler)
	}
	return bad.Field + ": " + bad.Reason
}

type embedded struct {
	Page int `query:"page"`
}

// expect compares the reasons with what they have to begin with.
func expect(t *testing.T, refusals map[string]string) {
	t.Helper()
	for reason, got := range refusals {
		if !strings.HasPrefix(got, reason) {
			t.Errorf("%s\nwanted %s", got, reason)
		}
	}
}

func TestWhatCannotBeReadFromTextIsRefusedAtRegistration(t *testing.T) {
	expect(t, map[string]string{
		"A: a chan int cannot be read from text": refused[struct {
			A chan int `query:"a"`
		}](t),
		"A: a map[string]string cannot be read from text": refused[struct {
			A map[string]string `header:"a"`
		}](t),
		"A: a path has one value": refused[struct {
			A []int `path:"a"`
		}](t),
		"A: a cookie has one value": refused[struct {
			A []string `cookie:"a"`
		}](t),
		"embedded: an embedded *volo.embedded is not supported": refused[struct {
			*embedded
		}](t),
	})
}

func TestTagsThatMeanNothingAreRefusedAtRegistration(t *testing.T) {
	expect(t, map[string]string{
		"A: has the tags path and query": refused[struct {
			A int `path:"a" query:"a"`
		}](t),
		`A: the tag query:"" is no name`: refused[struct {
			A int `query:""`
		}](t),
		`A: the tag query:"a,optional" is no name`: refused[struct {
			A int `query:"a,optional"`
		}](t),
		"a: has a tag but is not exported": refused[struct {
			a int `query:"a"`
		}](t),
		"B: no tag says where it comes from": refused[struct {
			A int `query:"a"`
			B int
		}](t),
		`A: the default "x" must be an integer`: refused[struct {
			A int `query:"a" default:"x"`
		}](t),
		`A: the default "x" must be a number`: refused[struct {
			A []float64 `query:"a" default:"1,x"`
		}](t),
		"A: what has a default is not required": refused[struct {
			A int `query:"a" default:"1" required:"true"`
		}](t),
		"A: the tag required is true or false": refused[struct {
			A int `query:"a" required:"yes"`
		}](t),
	})
}

func TestWhatTheBodyCannotBeIsRefusedAtRegistration(t *testing.T) {
	expect(t, map[string]string{
		"B: reads the body as JSON, and another field as a form": refused[struct {
			A int `form:"a"`
			B int `json:"b"`
		}](t),
		"B: reads the body, and another field too": refused[struct {
			A []byte `body:""`
			B []byte `body:""`
		}](t),
		"B: reads the body as a stream, and another field as JSON": refused[struct {
			A int       `json:"a"`
			B io.Reader `body:""`
		}](t),
		"A: a string is not a stream": refused[struct {
			A string `body:"stream"`
		}](t),
		"A: the tag body is": refused[struct {
			A string `body:"xml"`
		}](t),
		"A: a func() cannot be read from JSON": refused[struct {
			A []map[string]func() `json:"a"`
		}](t),
		"A: a io.Writer cannot be read from JSON": refused[struct {
			A io.Writer `body:"json"`
		}](t),
		"A: a []int cannot have a default": refused[struct {
			A []int `json:"a" default:"1"`
		}](t),
		": a chan int cannot be read from JSON": refused[chan int](t),
	})
}

func TestWhatCannotBeAnsweredIsRefusedAtRegistration(t *testing.T) {
	type inner struct{ C []chan int }
	_, err := TypedHandler(func(context.Context, struct{}) (map[string]inner, error) { return nil, nil })
	if err == nil || !strings.HasSuffix(err.Error(), "a result with a chan int cannot become JSON") {
		t.Error(err)
	}
	defer func() {
		if err, ok := recover().(*BindError); !ok {
			t.Error("Handle does not panic:", err)
		}
	}()
	Handle(func(context.Context, struct{}) (func(), error) { return nil, nil })
}

func TestTypesThatContainThemselvesAreFit(t *testing.T) {
	type tree struct {
		Name     string  `json:"name"`
		Children []*tree `json:"children"`
	}
	type list []list
	if _, err := TypedHandler(func(context.Context, tree) (tree, error) { return tree{}, nil }); err != nil {
		t.Error(err)
	}
	if _, err := TypedHandler(func(context.Context, list) (list, error) { return nil, nil }); err != nil {
		t.Error(err)
	}
}
