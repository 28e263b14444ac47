// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"io"

	"libvolo/go/volo/internal/cvolo"
)

// bodyReader reads the body of a request: one that is there, or one that comes
// while it is read.
type bodyReader struct {
	x      *exchange // nil once closed
	rest   []byte    // of one that is there
	stream bool
	c      cvolo.Body
	opened bool
	id     uint64
	told   chan struct{}
	err    error
}

func newBodyReader(x *exchange) *bodyReader {
	if x.passage != noPassage {
		return &bodyReader{x: x, stream: true, err: errBody}
	}
	if x.isStreamed() {
		return &bodyReader{x: x, stream: true}
	}
	return &bodyReader{x: x, rest: x.job.Body.Bytes()}
}

// Read reads what there is, waiting for it.
func (r *bodyReader) Read(p []byte) (int, error) {
	switch {
	case r.x == nil:
		return 0, ErrClosed
	case len(p) == 0:
		return 0, nil
	case r.stream:
		return r.readStream(p)
	case len(r.rest) == 0:
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// WriteTo is for [io.Copy]: a body that is there needs no buffer.
func (r *bodyReader) WriteTo(w io.Writer) (int64, error) {
	if r.x == nil {
		return 0, ErrClosed
	}
	if r.stream {
		return io.Copy(w, struct{ io.Reader }{r})
	}
	n, err := w.Write(r.rest)
	r.rest = r.rest[n:]
	return int64(n), err
}

func (r *bodyReader) readStream(p []byte) (int, error) {
	if r.err == nil && !r.opened {
		r.open()
	}
	for r.err == nil {
		n := r.c.Read(r.x.job.Cx, p)
		switch {
		case n > 0:
			return int(n), nil
		case n == 0:
			r.err = io.EOF
		case Code(n) == ErrAgain:
			<-r.told
		default:
			r.err = Code(n)
		}
	}
	return 0, r.err
}

func (r *bodyReader) open() {
	r.told = make(chan struct{}, 1)
	r.id = r.x.rt.hub.add(r)
	c, err := cvolo.OpenBody(r.x.job.Cx, r.x.rt.hub.c, r.id)
	if err < 0 {
		r.x.rt.hub.remove(r.id)
		r.err = Code(err)
		return
	}
	r.c, r.opened = c, true
}

func (r *bodyReader) news(uint64) {
	select {
	case r.told <- struct{}{}:
	default:
	}
}

// Close says that the rest is not wanted.
func (r *bodyReader) Close() error {
	if r.x != nil && r.opened {
		r.x.rt.hub.remove(r.id)
		r.c.Close(r.x.job.Cx)
	}
	r.x, r.rest = nil, nil
	return nil
}
