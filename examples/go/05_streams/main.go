// SPDX-License-Identifier: Apache-2.0

// Bodies of any size in little memory: an upload is read as it comes, a
// download is made as the client takes it.
//
//	curl -T some-file localhost:8080/upload
//	curl -o /dev/null localhost:8080/download/1000000000
//	curl -N localhost:8080/count
package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"time"

	"libvolo/examples/go/serve"
	"libvolo/go/volo"
)

// ---- Upload ----------------------------------------------------------------------

type uploadInput struct {
	Body io.Reader `body:""`
}

func upload(_ context.Context, in uploadInput) (string, error) {
	sum := fnv.New32a()
	n, err := io.Copy(sum, in.Body)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d octets, sum %08x\n", n, sum.Sum32()), nil
}

// ---- Download --------------------------------------------------------------------

type downloadInput struct {
	N uint64 `path:"n"`
}

func (in downloadInput) Validate() error {
	if in.N > math.MaxInt64 {
		return volo.Invalid{Field: "n", In: "path", Reason: "is too large"}
	}
	return nil
}

// vs gives that letter for ever.
type vs struct{}

func (vs) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'v'
	}
	return len(p), nil
}

// download is a result that answers by itself: with a length that is known.
type download int64

func (d download) Respond(c *volo.Ctx) error {
	c.SetLength(int64(d))
	return c.Stream("application/octet-stream", io.LimitReader(vs{}, int64(d)))
}

func startDownload(_ context.Context, in downloadInput) (download, error) {
	return download(in.N), nil
}

// ---- A stream that is pushed -------------------------------------------------------

// count writes every tenth of a second a line, ten in all.  If the client has
// left, the context ends, and writing fails.
func count(c *volo.Ctx) error {
	if err := c.SetHeader("Content-Type", "text/plain"); err != nil {
		return err
	}
	w := c.Writer()
	for n := 1; n <= 10; n++ {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-c.Context().Done():
			return c.Context().Err()
		}
		fmt.Fprintln(w, n)
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func newRouter() *volo.Router {
	r := volo.NewRouter()
	unlimited := volo.MaxBody(math.MaxUint64)
	volo.Put(r, "/upload", upload, unlimited)
	volo.Post(r, "/upload", upload, unlimited)
	volo.Get(r, "/download/{n}", startDownload)
	r.Get("/count", count)
	return r
}

func main() { serve.Main(newRouter()) }
