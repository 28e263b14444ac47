// SPDX-License-Identifier: Apache-2.0

// Routes, and handlers that get their input typed.  What cannot be read is
// refused before the handler runs, and the answer says which and why.
//
//	curl localhost:8080/users/42?lang=fr
//	curl -i localhost:8080/users/forty-two         400, and why
//	curl 'localhost:8080/search?tag=a&tag=b&exact'
//	curl -d 'name=Ada&age=36' localhost:8080/form
//	curl --json '{"x":3,"y":4}' localhost:8080/distance
//	curl localhost:8080/colour/ff8800              a type of our own
//	curl localhost:8080/files/a/b/c.txt
//	curl localhost:8080/api/v1/version
package main

import (
	"context"
	"fmt"

	"libvolo/examples/go/serve"
	"libvolo/go/volo"
)

// ---- One field for each value that is wanted -----------------------------------

type userInput struct {
	ID   uint64 `path:"id"`
	Lang string `query:"lang" default:"en"`
}

type user struct {
	ID   uint64 `json:"id"`
	Lang string `json:"lang"`
}

func getUser(_ context.Context, in userInput) (user, error) {
	return user(in), nil
}

type searchInput struct {
	Tags  []string `query:"tag"`
	Exact *string  `query:"exact"` // nil if it is not there
	Limit uint32   `query:"limit" default:"10"`
	Agent *string  `header:"User-Agent"`
}

func search(_ context.Context, in searchInput) (string, error) {
	how, who := "alike", "nobody"
	if in.Exact != nil {
		how = "exact"
	}
	if in.Agent != nil {
		who = "somebody"
	}
	return fmt.Sprintf("%d tags, at most %d, %s, by %s\n", len(in.Tags), in.Limit, how, who), nil
}

type formInput struct {
	Name string `form:"name"`
	Age  int32  `form:"age"`
}

// Validate is called before the handler, and what it says is answered.
func (in formInput) Validate() error {
	if in.Age < 0 {
		return volo.Invalid{Field: "age", In: "form", Reason: "is negative"}
	}
	return nil
}

func form(_ context.Context, in formInput) (string, error) {
	return fmt.Sprintf("%s is %d\n", in.Name, in.Age), nil
}

// A struct without tags of ours is the JSON document itself.
type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

func distance(_ context.Context, in point) (string, error) {
	return fmt.Sprintf("%g\n", in.X*in.X+in.Y*in.Y), nil
}

// ---- A type of our own: what makes it of text ------------------------------------

type colour struct{ red, green, blue byte }

// UnmarshalText is all that a type needs to stand in any place.
func (c *colour) UnmarshalText(text []byte) error {
	n, err := fmt.Sscanf(string(text), "%2x%2x%2x", &c.red, &c.green, &c.blue)
	if n != 3 || err != nil || len(text) != 6 {
		return volo.Invalid{Reason: "is not six hex digits"}
	}
	return nil
}

type colourInput struct {
	Code colour `path:"code"`
}

func showColour(_ context.Context, in colourInput) (string, error) {
	return fmt.Sprintf("red %d, green %d, blue %d\n", in.Code.red, in.Code.green, in.Code.blue), nil
}

// ---- Without input, a handler is a plain function --------------------------------

func file(c *volo.Ctx) error { return c.Text(c.Param("rest")) }

func version(c *volo.Ctx) error { return c.Text(volo.Version()) }

// lost answers whatever nobody else does; this router's, and those inside it.
func lost(*volo.Ctx) error { return volo.Error(404, "there is nothing here; try /users/42") }

// ---- Putting it together ---------------------------------------------------------

func newRouter() *volo.Router {
	r := volo.NewRouter()
	volo.Get(r, "/users/{id}", getUser)
	volo.Get(r, "/search", search)
	volo.Post(r, "/form", form)
	volo.Post(r, "/distance", distance)
	volo.Get(r, "/colour/{code}", showColour)
	r.Get("/files/{*rest}", file)

	// A router in a router: it sees the path without the prefix.
	api := volo.NewRouter()
	api.Get("/version", version)
	r.Nest("/api/v1", api)
	r.Fallback(volo.HandlerFunc(lost))
	return r
}

func main() { serve.Main(newRouter()) }
