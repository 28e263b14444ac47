// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"fmt"
	"sync"
	"testing"

	"libvolo/go/volo"
)

// A context that is waited for has the loop remember that, in the exchange,
// while the handler's goroutine may be writing its answer there.
func TestAContextThatIsWaitedForLeavesTheAnswerAlone(t *testing.T) {
	const fields = 40
	h := volo.HandlerFunc(func(c *volo.Ctx) error {
		if c.Context().Done() == nil {
			t.Error("no channel")
		}
		for i := range fields {
			if err := c.SetHeader(fmt.Sprintf("x-own-%d", i), fmt.Sprintf("value %d", i)); err != nil {
				return err
			}
		}
		return c.Text("answer")
	})
	s := serve(t, &volo.Server{Handler: h})
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 200 {
				resp, err := s.http.Get(s.url)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				for i := range fields {
					if got := resp.Header.Get(fmt.Sprintf("x-own-%d", i)); got != fmt.Sprintf("value %d", i) {
						t.Errorf("%d: %q", i, got)
					}
				}
			}
		})
	}
	all.Wait()
}
