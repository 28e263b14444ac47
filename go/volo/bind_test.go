// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

// typed serves one typed handler on GET and POST of a pattern.
func typed[In, Out any](t *testing.T, pattern string,
	fn func(context.Context, In) (Out, error)) *volotest.Client {
	t.Helper()
	r := volo.NewRouter()
	r.Handle("", pattern, volo.Handle(fn))
	return volotest.New(t, r)
}

// show answers with what it was given, as Go writes it.
func show[In any](t *testing.T, pattern string) *volotest.Client {
	t.Helper()
	return typed(t, pattern, func(_ context.Context, in In) (string, error) {
		return fmt.Sprintf("%+v", in), nil
	})
}

func wants(t *testing.T, r *volotest.Response, status int, body string) {
	t.Helper()
	if r.Status != status || r.Text() != body {
		t.Errorf("%d %q\nwant %d %q", r.Status, r.Body, status, body)
	}
}

type paging struct {
	Page int `query:"page" default:"1"`
}

type everything struct {
	paging
	ID      int64         `path:"id"`
	Name    string        `query:"name"`
	Tags    []string      `query:"tag"`
	Sizes   []uint8       `query:"size" required:"false"`
	Ratio   *float64      `query:"ratio"`
	Wait    time.Duration `query:"wait" default:"1s"`
	Exact   bool          `query:"exact" required:"false"`
	Accepts []string      `header:"Accept"`
	Own     string        `header:"X-Own" default:"none"`
	Session string        `cookie:"session" required:"false"`
	hidden  int
}

func TestValuesComeFromWhereTheirTagsSay(t *testing.T) {
	c := typed(t, "/users/{id}", func(_ context.Context, in everything) (string, error) {
		return fmt.Sprintf("%d %d %q %q %q %v %v %v %q %q %q %d", in.Page, in.ID, in.Name, in.Tags,
			in.Sizes, in.Ratio != nil && *in.Ratio == 0.5, in.Wait, in.Exact, in.Accepts, in.Own,
			in.Session, in.hidden), nil
	})
	wants(t, c.Get("/users/7?name="), 200,
		`1 7 "" [] "" false 1s false [] "none" "" 0`)
	wants(t, c.Do(volotest.Request{
		Target: "/users/-9?tag=a%20b&name=%C3%A9&tag=c&size=ab&ratio=0.5&wait=2m&exact=yes&page=3&name=2",
		Header: http.Header{"Accept": {"a/b", "c/d"}, "X-Own": {"mine"},
			"Cookie": {"x=y; session=\"s1\"; session=s2"}},
	}), 200, `3 -9 "é" ["a b" "c"] "ab" true 2m0s true ["a/b" "c/d"] "mine" "s1" 0`)
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	c := show[everything](t, "/users/{id}")
	wants(t, c.Get("/users/x?ratio=no&wait=1&exact=maybe&page=99999999999999999999"), 400, `Bad Request
query page: is out of range
path id: must be an integer
query name: is missing
query ratio: must be a number
query wait: must be a duration such as 1.5s
query exact: must be true or false
`)
	r := c.Do(volotest.Request{Target: "/users/1?name=%zz",
		Header: http.Header{"Accept": {"application/json"}}})
	wants(t, r, 400, `{"title":"Bad Request","status":400,"errors":[`+
		`{"field":"name","in":"query","reason":"has a broken escape"}]}`)
	if r.Header.Get("Content-Type") != "application/problem+json" {
		t.Error(r.Header)
	}
	wants(t, c.Get("/users/9999999999999999999?name=a"), 422,
		"Unprocessable Content\npath id: is out of range\n")
}

// TestRejectionsAreAsInC compares with what libvolo itself says.
func TestRejectionsAreAsInC(t *testing.T) {
	r := volo.NewRouter()
	r.Handle("GET", "/go", volo.Handle(func(context.Context, struct{}) (string, error) {
		return "", volo.Error(404, "")
	}))
	c := volotest.New(t, r)
	for _, accept := range []string{"", "text/html", "application/json"} {
		header := http.Header{"Accept": {accept}}
		ours := c.Do(volotest.Request{Target: "/go", Header: header})
		theirs := c.Do(volotest.Request{Target: "/nothing", Header: header})
		if ours.Text() != theirs.Text() || ours.Header.Get("Content-Type") != theirs.Header.Get("Content-Type") {
			t.Errorf("%s\n%s", ours, theirs)
		}
	}
}

// ---- Bodies ------------------------------------------------------------------

type newTodo struct {
	ID    int64    `path:"id"`
	Title string   `json:"title"`
	Done  bool     `json:"done" default:"true"`
	Tags  []string `json:"tags"`
	Note  *string  `json:"note"`
	Extra int      `json:"extra,omitempty"`
	inner struct{ A int }
}

func TestAJSONBodyFillsItsMembersAndNothingElse(t *testing.T) {
	c := typed(t, "/todos/{id}", func(_ context.Context, in newTodo) (string, error) {
		return fmt.Sprintf("%d %q %v %q %v %d", in.ID, in.Title, in.Done, in.Tags, in.Note != nil,
			in.Extra+in.inner.A), nil
	})
	post := func(body string) *volotest.Response {
		return c.Post("/todos/7", "application/json; charset=utf-8", []byte(body))
	}
	wants(t, post(`{"title":"a","ID":99,"id":99,"unknown":[{}]}`), 200, `7 "a" true [] false 0`)
	wants(t, post(`{"title":"","done":false,"tags":["x"],"note":"n","extra":5}`), 200,
		`7 "" false ["x"] true 5`)
	wants(t, post(`{"Title":"any case"}`), 200, `7 "any case" true [] false 0`)
	wants(t, post(`{"done":false}`), 422, "Unprocessable Content\nbody title: is missing\n")
	wants(t, post(`{"title":null}`), 422, "Unprocessable Content\nbody title: is missing\n")
	wants(t, post(``), 400, "Bad Request\nbody title: is missing\n")
	wants(t, post(`{"title":5}`), 422, "Unprocessable Content\nbody title: must be a string\n")
	wants(t, post(`{"title":"a","extra":1.5}`), 422,
		"Unprocessable Content\nbody extra: must be an integer\n")
	wants(t, post(`{"title":"a","extra":99999999999999999999}`), 422,
		"Unprocessable Content\nbody extra: is out of range\n")
	wants(t, post(`{"title":"a","tags":{}}`), 422, "Unprocessable Content\nbody tags: must be an array\n")
	wants(t, post(`[]`), 422, "Unprocessable Content\nbody: must be an object\n")
	if r := post(`{"title"`); r.Status != 400 || !strings.HasPrefix(r.Text(), "Bad Request\nbody: ") {
		t.Error(r)
	}
	if r := post(`{"title":"a"} {}`); r.Status != 400 {
		t.Error(r)
	}
	wants(t, c.Post("/todos/7", "text/plain", []byte(`{}`)), 415,
		"Unsupported Media Type\nheader content-type: must be application/json\n")
	wants(t, c.Post("/todos/x", "application/vnd.a+json", []byte(`{}`)), 400,
		"Bad Request\nbody title: is missing\npath id: must be an integer\n")
}

type document struct {
	A int    `json:"a"`
	B string `json:"b,omitempty"`
}

func TestAStructWithoutTagsOfOursIsTheDocument(t *testing.T) {
	c := show[document](t, "/")
	wants(t, c.Post("/", "application/json", []byte(`{"a":1,"b":"x"}`)), 200, "{A:1 B:x}")
	wants(t, c.Post("/", "application/json", []byte(`{"b":"x"}`)), 422, "Unprocessable Content\nbody a: is missing\n")
	m := show[map[string]int](t, "/")
	wants(t, m.Post("/", "application/json", []byte(`{"a":1}`)), 200, "map[a:1]")
	p := typed(t, "/", func(_ context.Context, in *document) (string, error) { return fmt.Sprint(*in), nil })
	wants(t, p.Post("/", "application/json", []byte(`{"a":1}`)), 200, "{1 }")
	wants(t, p.Post("/", "application/json", nil), 400, "Bad Request\nbody a: is missing\n")
}

func TestTheWholeBodyInAField(t *testing.T) {
	bytes := show[struct {
		Body []byte `body:""`
		Own  string `header:"X-Own" default:"o"`
	}](t, "/")
	wants(t, bytes.Post("/", "a/b", []byte("hi")), 200, "{Body:[104 105] Own:o}")
	text := show[struct {
		Body string `body:"text"`
	}](t, "/")
	wants(t, text.Post("/", "a/b", []byte("hi")), 200, "{Body:hi}")
	doc := show[struct {
		Doc document `body:"json"`
	}](t, "/")
	wants(t, doc.Post("/", "application/json", []byte(`{"a":1}`)), 200, "{Doc:{A:1 B:}}")
	wants(t, doc.Post("/", "application/json", []byte(`{}`)), 422, "Unprocessable Content\nbody a: is missing\n")
	list := show[struct {
		List []int `body:""`
	}](t, "/")
	wants(t, list.Post("/", "application/json", []byte(`[1,2]`)), 200, "{List:[1 2]}")
	wants(t, list.Post("/", "application/json", nil), 400, "Bad Request\nbody: is missing\n")
	optional := show[struct {
		Doc *document `body:"json"`
	}](t, "/")
	wants(t, optional.Post("/", "application/json", nil), 200, "{Doc:<nil>}")
}

func TestAFormFillsItsFields(t *testing.T) {
	c := show[struct {
		Name string `form:"name"`
		Ages []int8 `form:"age" default:"1,2"`
	}](t, "/")
	const kind = "application/x-www-form-urlencoded"
	wants(t, c.Post("/", kind, []byte("name=A+b&age=3&age=4")), 200, "{Name:A b Ages:[3 4]}")
	wants(t, c.Post("/", kind, []byte("name=")), 200, "{Name: Ages:[1 2]}")
	wants(t, c.Post("/", kind, nil), 400, "Bad Request\nform name: is missing\n")
	wants(t, c.Post("/", "application/json", []byte("{}")), 415, "Unsupported Media Type\n"+
		"header content-type: must be application/x-www-form-urlencoded\n")
}

func TestAStreamIsReadAsItComes(t *testing.T) {
	c := typed(t, "/{n}", func(_ context.Context, in struct {
		N    int       `path:"n"`
		Body io.Reader `body:""`
	}) (string, error) {
		n, err := io.Copy(io.Discard, in.Body)
		return fmt.Sprint(in.N, n), err
	})
	big := strings.Repeat("x", 300000)
	wants(t, c.Do(volotest.Request{Method: "POST", Target: "/5", Body: []byte(big), Chunk: 1000}), 200, "5 300000")
	wants(t, c.Do(volotest.Request{Method: "POST", Target: "/x", Body: []byte(big)}), 400,
		"Bad Request\npath n: must be an integer\n")
}

// ---- Special fields ------------------------------------------------------------

type bearer struct{ token string }

func (b *bearer) Extract(c *volo.Ctx) error {
	token, ok := strings.CutPrefix(c.Header("Authorization"), "Bearer ")
	switch {
	case !ok:
		return &volo.HTTPError{Status: 401, Header: http.Header{"Www-Authenticate": {"Bearer"}}}
	case token == "":
		return volo.Invalid{Field: "token", In: "header", Reason: "is empty"}
	}
	b.token = token
	return nil
}

func TestExtractorsAndTheExchangeNeedNoTag(t *testing.T) {
	c := typed(t, "/", func(ctx context.Context, in struct {
		Who bearer
		Ctx *volo.Ctx
		N   int `query:"n" default:"1"`
	}) (string, error) {
		if ctx != in.Ctx.Context() {
			return "", errors.New("another context")
		}
		return in.Who.token + in.Ctx.Method(), nil
	})
	with := func(value string) *volotest.Response {
		return c.Do(volotest.Request{Target: "/?n=x", Header: http.Header{"Authorization": {value}}})
	}
	r := c.Do(volotest.Request{Target: "/", Header: http.Header{"Authorization": {"Bearer t"}}})
	wants(t, r, 200, "tGET")
	if r = c.Get("/"); r.Status != 401 || r.Header.Get("Www-Authenticate") != "Bearer" {
		t.Error(r)
	}
	wants(t, with("Bearer "), 400, "Bad Request\nquery n: must be an integer\nheader token: is empty\n")
	alone := typed(t, "/", func(_ context.Context, in bearer) (string, error) { return in.token, nil })
	if r = alone.Get("/"); r.Status != 401 {
		t.Error(r)
	}
}

type even int

func (e even) Validate() error {
	if e%2 != 0 {
		return errors.New("is odd")
	}
	return nil
}

type between struct {
	From even  `query:"from"`
	To   *even `query:"to"`
}

func (b *between) Validate() error {
	if b.To != nil && *b.To < b.From {
		return errors.Join(volo.Invalid{Field: "to", In: "query", Reason: "is before from"},
			errors.New("that is no range"))
	}
	return nil
}

func TestValidateRefusesWith422(t *testing.T) {
	c := show[between](t, "/")
	wants(t, c.Get("/?from=2"), 200, "{From:2 To:<nil>}")
	wants(t, c.Get("/?from=1&to=3"), 422,
		"Unprocessable Content\nquery from: is odd\nquery to: is odd\n")
	wants(t, c.Get("/?from=x&to=3"), 400, "Bad Request\nquery from: must be an integer\n")
	wants(t, c.Get("/?from=4&to=2"), 422,
		"Unprocessable Content: that is no range\nquery to: is before from\n")
}

func TestAParameterThatIsNotInThePatternIsRefused(t *testing.T) {
	h := volo.Handle(func(_ context.Context, in struct {
		ID int `path:"id"`
	}) (string, error) {
		return fmt.Sprint(in.ID), nil
	})
	refuses := func(r *volo.Router, pattern string) (err error) {
		defer func() { err, _ = recover().(error) }()
		r.Handle("GET", pattern, h)
		return nil
	}
	r := volo.NewRouter()
	for _, pattern := range []string{"/{other}", "/id", "/{{id}}", "/{*id2}"} {
		var bad *volo.BindError
		if err := refuses(r, pattern); !errors.As(err, &bad) || bad.Field != "id" {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	inner, host := volo.NewRouter(), volo.NewRouter()
	r.Nest("/below/{id}", inner)
	r.Host("{id}.example.com", host)
	if err := errors.Join(refuses(inner, "/all"), refuses(host, "/all"), refuses(r, "/a-{id}.b"),
		refuses(r, "/all/{*id}")); err != nil {
		t.Error(err)
	}
	c := volotest.New(t, r)
	wants(t, c.Get("/below/7/all"), 200, "7")
	wants(t, c.Get("/a-8.b"), 200, "8")
	wants(t, c.Get("/all/9"), 200, "9")
	wants(t, c.Do(volotest.Request{Target: "/all", Header: http.Header{"Host": {"10.example.com"}}}), 200, "10")
}

// ---- Results -------------------------------------------------------------------

type teapot struct {
	Volume int `json:"volume"`
}

func (teapot) StatusCode() int { return 418 }

// answers is what a result is answered with.
func answers[Out any](t *testing.T, out Out, err error) *volotest.Response {
	t.Helper()
	return typed(t, "/", func(context.Context, struct{}) (Out, error) { return out, err }).Get("/")
}

func TestResultsAreAnsweredByTheirTypes(t *testing.T) {
	for _, one := range []struct {
		got    *volotest.Response
		status int
		kind   string
		body   string
	}{
		{answers(t, "text", nil), 200, "text/plain; charset=utf-8", "text"},
		{answers(t, []byte("octets"), nil), 200, "application/octet-stream", "octets"},
		{answers(t, []byte(nil), nil), 204, "", ""},
		{answers(t, struct{}{}, nil), 204, "", ""},
		{answers(t, document{1, "<"}, nil), 200, "application/json", `{"a":1,"b":"\u003c"}`},
		{answers(t, &document{1, ""}, nil), 200, "application/json", `{"a":1}`},
		{answers(t, (*document)(nil), nil), 204, "", ""},
		{answers(t, map[string]int{"a": 1}, nil), 200, "application/json", `{"a":1}`},
		{answers(t, []int{1, 2}, nil), 200, "application/json", `[1,2]`},
		{answers(t, 42, nil), 200, "application/json", `42`},
		{answers(t, teapot{3}, nil), 418, "application/json", `{"volume":3}`},
		{answers[any](t, "text", nil), 200, "text/plain; charset=utf-8", "text"},
		{answers[any](t, teapot{3}, nil), 418, "application/json", `{"volume":3}`},
		{answers[any](t, nil, nil), 204, "", ""},
		{answers[io.Reader](t, strings.NewReader("read"), nil), 200, "", "read"},
		{answers(t, volo.Response[document]{Status: 201, Body: document{A: 1}}, nil), 201, "application/json", `{"a":1}`},
		{answers(t, volo.Response[struct{}]{}, nil), 204, "", ""},
		{answers(t, volo.Response[teapot]{Status: 200}, nil), 200, "application/json", `{"volume":0}`},
		{answers(t, volo.StatusOnly(202), nil), 202, "text/plain; charset=utf-8", "Accepted"},
		{answers(t, volo.StatusOnly(304), nil), 304, "", ""},
		{answers(t, volo.StatusOnly(404), nil), 404, "text/plain; charset=utf-8", "Not Found\n"},
		{answers(t, json.RawMessage(`{"a":1}`), nil), 200, "application/json", `{"a":1}`},
	} {
		kind := one.got.Header.Get("Content-Type")
		if one.kind == "" && one.got.Status == 200 {
			kind = ""
		}
		if one.got.Status != one.status || kind != one.kind || one.got.Text() != one.body {
			t.Errorf("%s\nwant %d %s %s", one.got, one.status, one.kind, one.body)
		}
	}
}

func TestAResponseHasFieldsOfItsOwn(t *testing.T) {
	r := answers(t, volo.Response[string]{Status: 201, Body: "made",
		Header: http.Header{"Location": {"/1"}, "X-Own": {"a", "b"}}}, nil)
	if r.Status != 201 || r.Header.Get("Location") != "/1" ||
		!reflect.DeepEqual(r.Header.Values("X-Own"), []string{"a", "b"}) {
		t.Error(r)
	}
	if r = answers(t, volo.Response[string]{Header: http.Header{"Content-Length": {"1"}}}, nil); r.Status != 500 {
		t.Error(r)
	}
	r = answers(t, volo.Redirection{Location: "/a b?c=é"}, nil)
	if r.Status != 303 || r.Header.Get("Location") != "/a%20b?c=%C3%A9" {
		t.Error(r)
	}
}

func TestSequencesAreSentPieceByPiece(t *testing.T) {
	pieces := slices.Values([]string{"a", "bc", ""})
	wants(t, answers(t, pieces, nil), 200, "abc")
	wants(t, answers(t, slices.Values([][]byte{[]byte("a"), []byte("b")}), nil), 200, "ab")
	wants(t, answers[iter.Seq[string]](t, nil, nil), 204, "")
	failing := func(good int) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for range good {
				if !yield("x", nil) {
					return
				}
			}
			yield("", volo.Error(503, ""))
		}
	}
	wants(t, answers(t, failing(0), nil), 503, "Service Unavailable\n")
	c := typed(t, "/", func(context.Context, struct{}) (iter.Seq2[string, error], error) {
		return failing(3), nil
	})
	if r, err := c.Send(volotest.Request{}); !errors.Is(err, volo.ErrProtocol) {
		t.Error("an answer that failed is whole:", r)
	}
}

func TestErrorsSayHowTheyAreAnswered(t *testing.T) {
	wants(t, answers(t, "", error(volo.Error(409, "taken"))), 409, "Conflict: taken\n")
	wants(t, answers(t, "", fmt.Errorf("in: %w", volo.Reject(422, "a", "body", "is bad"))), 422,
		"Unprocessable Content\nbody a: is bad\n")
	wants(t, answers(t, "", error(volo.Invalid{Field: "a", In: "body", Reason: "is bad"})), 422,
		"Unprocessable Content\nbody a: is bad\n")
	wants(t, answers(t, "", errors.New("secret")), 500, "Internal Server Error\n")
}
