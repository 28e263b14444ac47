// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

func TestRequestsThatComeTogetherDoNotMix(t *testing.T) {
	type input struct {
		ID   int    `path:"id"`
		Name string `header:"X-Name"`
		Body []int  `body:""`
	}
	r := volo.NewRouter()
	volo.Post(r, "/{id}", func(_ context.Context, in input) (input, error) {
		if in.ID%7 == 0 {
			time.Sleep(time.Millisecond)
		}
		return in, nil
	})
	server := &volo.Server{Handler: r, Workers: 2}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve() }()
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			for i := range 100 {
				id := 1000*n + i
				body := fmt.Sprintf("[%d,%d]", id, -id)
				req, _ := http.NewRequest("POST", fmt.Sprintf("http://127.0.0.1:%d/%d", server.Port(0), id),
					strings.NewReader(body))
				req.Header.Set("X-Name", fmt.Sprint("n", id))
				req.Header.Set("Content-Type", "application/json")
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				got, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				want := fmt.Sprintf(`{"ID":%d,"Name":"n%d","Body":%s}`, id, id, body)
				if string(got) != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
	group.Wait()
	server.Close()
	if err := <-ended; !errors.Is(err, volo.ErrServerClosed) {
		t.Error(err)
	}
}

// ---- What it costs ---------------------------------------------------------------

// allocations counts those of one call of h, with an exchange that is there.
func allocations(t *testing.T, h volo.Handler, target, body string) float64 {
	t.Helper()
	n := -1.0
	r := volo.NewRouter()
	r.Any("/{id}", func(c *volo.Ctx) error {
		n = testing.AllocsPerRun(100, func() {
			if err := h.ServeVolo(c); err != nil {
				panic(err)
			}
		})
		return nil
	})
	request := volotest.Request{Target: target, Body: []byte(body),
		Header: http.Header{"Content-Type": {"application/json"}, "X-N": {"5"}}}
	if got := volotest.New(t, r).Do(request); got.Status >= 300 {
		t.Fatal(got)
	}
	return n
}

func TestTypedHandlersAllocateOnlyWhatTheirValuesNeed(t *testing.T) {
	type numbers struct {
		ID    int64         `path:"id"`
		Limit uint8         `query:"limit" default:"10"`
		N     float64       `header:"X-N"`
		Wait  time.Duration `query:"wait"`
	}
	h := volo.Handle(func(_ context.Context, in numbers) (string, error) { return "text", nil })
	if n := allocations(t, h, "/7?wait=1s", ""); n != 0 {
		t.Errorf("numbers: %v", n)
	}
	type text struct {
		ID string `path:"id"`
	}
	h = volo.Handle(func(_ context.Context, in text) (string, error) { return in.ID, nil })
	if n := allocations(t, h, "/seven", ""); n != 1 {
		t.Errorf("a string: %v", n)
	}
	// Of encoding/json: the decoder's state, and the string.
	h = volo.Handle(func(_ context.Context, in document) (document, error) { return in, nil })
	if n := allocations(t, h, "/7", `{"a":1,"b":"x"}`); n > 5 {
		t.Errorf("JSON: %v", n)
	}
}

func BenchmarkTypedHandlers(b *testing.B) {
	type input struct {
		ID    int64  `path:"id"`
		Limit uint8  `query:"limit" default:"10"`
		Title string `json:"title"`
	}
	for name, h := range map[string]volo.Handler{
		"path and query": volo.Handle(func(_ context.Context, in struct {
			ID    int64  `path:"id"`
			Limit uint8  `query:"limit" default:"10"`
			Name  string `query:"name"`
		}) (string, error) {
			return in.Name, nil
		}),
		"JSON": volo.Handle(func(_ context.Context, in input) (input, error) { return in, nil }),
		"by hand": volo.HandlerFunc(func(c *volo.Ctx) error {
			return c.Text(c.Param("id") + c.Query("name"))
		}),
	} {
		b.Run(name, func(b *testing.B) {
			r := volo.NewRouter()
			r.Any("/{id}", func(c *volo.Ctx) error {
				b.ReportAllocs()
				for b.Loop() {
					if err := h.ServeVolo(c); err != nil {
						return err
					}
				}
				return nil
			})
			c, err := volotest.Open(r)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			got := c.Post("/7?limit=20&name=somebody", "application/json", []byte(`{"title":"of it"}`))
			if got.Status != 200 {
				b.Fatal(got)
			}
		})
	}
}
