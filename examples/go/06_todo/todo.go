// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"libvolo/go/volo"
)

const (
	maxTodos = 1000
	maxTitle = 200
)

type todo struct {
	ID    uint64 `json:"id"`
	Title string `json:"title"`
	Done  bool   `json:"done"`
}

// todos is the list; handlers share it under a lock, which none holds for long.
type todos struct {
	mu     sync.Mutex
	lastID uint64
	list   []todo
}

var errNoSuch = volo.Error(http.StatusNotFound, "there is no such entry")

// find gives the index of an entry; with the lock held.
func (t *todos) find(id uint64) (int, error) {
	i := slices.IndexFunc(t.list, func(one todo) bool { return one.ID == id })
	if i < 0 {
		return 0, errNoSuch
	}
	return i, nil
}

// title is one that is not empty and not too long.
type title string

func (t title) Validate() error {
	if t == "" || len(t) > maxTitle {
		return volo.Invalid{Field: "title", In: "body", Reason: "must have 1 to 200 octets"}
	}
	return nil
}

// ---- Handlers ----------------------------------------------------------------------

type listInput struct {
	Done *bool `query:"done"`
}

func (t *todos) all(_ context.Context, in listInput) ([]todo, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := []todo{}
	for _, one := range t.list {
		if in.Done == nil || one.Done == *in.Done {
			found = append(found, one)
		}
	}
	return found, nil
}

type createInput struct {
	Title title `json:"title"`
	Done  bool  `json:"done" default:"false"`
}

func (t *todos) create(_ context.Context, in createInput) (volo.Response[todo], error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.list) >= maxTodos {
		return volo.Response[todo]{}, volo.Error(http.StatusInsufficientStorage, "the list is full")
	}
	t.lastID++
	one := todo{t.lastID, string(in.Title), in.Done}
	t.list = append(t.list, one)
	return volo.Response[todo]{
		Status: http.StatusCreated,
		Header: http.Header{"Location": {"/todos/" + strconv.FormatUint(one.ID, 10)}},
		Body:   one,
	}, nil
}

type idInput struct {
	ID uint64 `path:"id"`
}

func (t *todos) show(_ context.Context, in idInput) (todo, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, err := t.find(in.ID)
	if err != nil {
		return todo{}, err
	}
	return t.list[i], nil
}

// What is not given stays as it is.
type updateInput struct {
	ID    uint64 `path:"id"`
	Title *title `json:"title"`
	Done  *bool  `json:"done"`
}

func (t *todos) update(_ context.Context, in updateInput) (todo, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, err := t.find(in.ID)
	if err != nil {
		return todo{}, err
	}
	if in.Title != nil {
		t.list[i].Title = string(*in.Title)
	}
	if in.Done != nil {
		t.list[i].Done = *in.Done
	}
	return t.list[i], nil
}

func (t *todos) remove(_ context.Context, in idInput) (struct{}, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, err := t.find(in.ID)
	if err == nil {
		t.list = slices.Delete(t.list, i, i+1)
	}
	return struct{}{}, err
}

// newRouter makes a router with its own, empty list.
func newRouter() *volo.Router {
	t := &todos{}
	r := volo.NewRouter()
	volo.Get(r, "/todos", t.all)
	volo.Post(r, "/todos", t.create)
	volo.Get(r, "/todos/{id}", t.show)
	volo.Patch(r, "/todos/{id}", t.update)
	volo.Delete(r, "/todos/{id}", t.remove)
	return r
}
