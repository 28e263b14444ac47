// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"net/http"
)

// Get answers GET on pattern, and HEAD, with a typed function: it is
// r.Handle("GET", pattern, Handle(fn), opts...), see [Handle].
func Get[In, Out any](r *Router, pattern string, fn func(context.Context, In) (Out, error), opts ...RouteOption) {
	r.Handle(http.MethodGet, pattern, Handle(fn), opts...)
}

// Post answers POST on pattern with a typed function, see [Handle].
func Post[In, Out any](r *Router, pattern string, fn func(context.Context, In) (Out, error), opts ...RouteOption) {
	r.Handle(http.MethodPost, pattern, Handle(fn), opts...)
}

// Put answers PUT on pattern with a typed function, see [Handle].
func Put[In, Out any](r *Router, pattern string, fn func(context.Context, In) (Out, error), opts ...RouteOption) {
	r.Handle(http.MethodPut, pattern, Handle(fn), opts...)
}

// Patch answers PATCH on pattern with a typed function, see [Handle].
func Patch[In, Out any](r *Router, pattern string, fn func(context.Context, In) (Out, error), opts ...RouteOption) {
	r.Handle(http.MethodPatch, pattern, Handle(fn), opts...)
}

// Delete answers DELETE on pattern with a typed function, see [Handle].
func Delete[In, Out any](r *Router, pattern string, fn func(context.Context, In) (Out, error), opts ...RouteOption) {
	r.Handle(http.MethodDelete, pattern, Handle(fn), opts...)
}
