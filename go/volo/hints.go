// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"maps"
	"net/http"
	"slices"

	"libvolo/go/volo/internal/cvolo"
)

// EarlyHints sends 103 with these fields (Link, above all) ahead of the answer,
// of which nothing changes, so that the client can begin to load what it will
// want.  It may be called more than once.  It is advice: where it cannot be
// sent at once, as answers to earlier requests come first, it is left out, and
// so it is for HTTP/1.0.
//
// Errors: ErrInvalid (as for [Ctx.SetHeader], Connection and so on included),
// ErrTooBig, ErrAnswered (the head has left), ErrCanceled, ErrNoMemory.
func (c *Ctx) EarlyHints(fields http.Header) error {
	x := c.on()
	count, size := 0, 0
	for name, values := range fields {
		for _, value := range values {
			if err := x.checkField(name, value); err != nil {
				return err
			}
			count++
			size += len(name) + 1 + len(value)
		}
	}
	b := x.rt.scratch()
	defer x.rt.putScratch(b)
	switch {
	case b == nil:
		return ErrNoMemory
	case !b.Has(count, size):
		return ErrTooBig
	}
	answer := b.Next()
	answer.Cx = x.job.Cx
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, value := range fields[name] {
			pair := b.AddPair(answer)
			*pair = cvolo.Pair{Name: b.PutName(name), Value: b.Put(value)}
		}
	}
	if err := Code(cvolo.EarlyHints(answer)); err != 0 && err != ErrNotImpl {
		return err
	}
	return nil
}
