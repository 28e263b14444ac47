// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"testing"

	"libvolo/go/volo/volotest"
)

// How to test a service: through its whole chain, in memory, without a socket.
// Each test has a service of its own.

func ask(t *testing.T, c *volotest.Client, method, target, body string, status int, want string) *volotest.Response {
	t.Helper()
	request := volotest.Request{Method: method, Target: target}
	if body != "" {
		request.Body = []byte(body)
		request.Header = http.Header{"Content-Type": {"application/json"}}
	}
	r := c.Do(request)
	if r.Status != status || (want != "" && r.Text() != want) {
		t.Errorf("%s %s: %s\nwant %d %s", method, target, r, status, want)
	}
	return r
}

func TestANewListIsEmpty(t *testing.T) {
	ask(t, volotest.New(t, newRouter()), "GET", "/todos", "", 200, "[]")
}

func TestWhatIsCreatedCanBeRead(t *testing.T) {
	c := volotest.New(t, newRouter())
	r := ask(t, c, "POST", "/todos", `{"title":"write"}`, 201, "")
	if r.Header.Get("Location") != "/todos/1" {
		t.Error(r)
	}
	ask(t, c, "GET", "/todos/1", "", 200, `{"id":1,"title":"write","done":false}`)
}

func TestAnUpdateChangesOnlyWhatItNames(t *testing.T) {
	c := volotest.New(t, newRouter())
	ask(t, c, "POST", "/todos", `{"title":"write"}`, 201, "")
	ask(t, c, "PATCH", "/todos/1", `{"done":true}`, 200, `{"id":1,"title":"write","done":true}`)
	ask(t, c, "PATCH", "/todos/1", `{"title":"read"}`, 200, `{"id":1,"title":"read","done":true}`)
}

func TestTheListCanBeAskedForWhatIsDone(t *testing.T) {
	c := volotest.New(t, newRouter())
	ask(t, c, "POST", "/todos", `{"title":"a","done":true}`, 201, "")
	ask(t, c, "POST", "/todos", `{"title":"b"}`, 201, "")
	ask(t, c, "GET", "/todos?done=true", "", 200, `[{"id":1,"title":"a","done":true}]`)
	ask(t, c, "GET", "/todos?done=false", "", 200, `[{"id":2,"title":"b","done":false}]`)
}

func TestWhatIsDeletedIsGone(t *testing.T) {
	c := volotest.New(t, newRouter())
	ask(t, c, "POST", "/todos", `{"title":"a"}`, 201, "")
	ask(t, c, "DELETE", "/todos/1", "", 204, "")
	ask(t, c, "GET", "/todos/1", "", 404, "")
	ask(t, c, "DELETE", "/todos/1", "", 404, "")
}

func TestBadRequestsAreRefused(t *testing.T) {
	c := volotest.New(t, newRouter())
	ask(t, c, "POST", "/todos", `{"done":true}`, 422, "")
	ask(t, c, "POST", "/todos", `{"title":""}`, 422, "")
	ask(t, c, "POST", "/todos", `{"title":7}`, 422, "")
	ask(t, c, "POST", "/todos", `{`, 400, "")
	ask(t, c, "GET", "/todos/one", "", 400, "")
	ask(t, c, "GET", "/todos/0", "", 404, "")
	ask(t, c, "PUT", "/todos/1", `{}`, 405, "")
}
