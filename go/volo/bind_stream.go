// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"iter"
	"reflect"
	"unsafe"
)

// Results that give their pieces one after another; each piece is sent as it
// comes.
var sequences = map[reflect.Type]replier{
	reflect.TypeFor[iter.Seq[string]](): func(c *Ctx, p unsafe.Pointer) error {
		return replyPieces(c, withoutError(*(*iter.Seq[string])(p)))
	},
	reflect.TypeFor[iter.Seq[[]byte]](): func(c *Ctx, p unsafe.Pointer) error {
		return replyPieces(c, withoutError(*(*iter.Seq[[]byte])(p)))
	},
	reflect.TypeFor[iter.Seq2[string, error]](): func(c *Ctx, p unsafe.Pointer) error {
		return replyPieces(c, *(*iter.Seq2[string, error])(p))
	},
	reflect.TypeFor[iter.Seq2[[]byte, error]](): func(c *Ctx, p unsafe.Pointer) error {
		return replyPieces(c, *(*iter.Seq2[[]byte, error])(p))
	},
}

func withoutError[T any](pieces iter.Seq[T]) iter.Seq2[T, error] {
	if pieces == nil {
		return nil
	}
	return func(yield func(T, error) bool) {
		for piece := range pieces {
			if !yield(piece, nil) {
				return
			}
		}
	}
}

// replyPieces streams them, as text unless a type was set or they are octets.
// An error among them cuts the answer off, or is answered if it is the first.
func replyPieces[T ~string | ~[]byte](c *Ctx, pieces iter.Seq2[T, error]) error {
	if pieces == nil {
		return c.NoContent()
	}
	kind := "text/plain; charset=utf-8"
	if reflect.TypeFor[T]().Kind() != reflect.String {
		kind = "application/octet-stream"
	}
	x := c.on()
	w := c.Writer()
	for piece, err := range pieces {
		if err != nil {
			return err
		}
		x.as(kind)
		if _, err := w.Write([]byte(piece)); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	x.as(kind)
	return nil
}
