// SPDX-License-Identifier: Apache-2.0

package cvolo

/*
#include <stdlib.h>
#include "go.h"
*/
import "C"

import "unsafe"

// Hub is where loops leave news for goroutines.
type Hub struct{ at *C.struct_volo__go_hub }

// NewHub makes one; the result is a VOLO_E... code if it is negative.
func NewHub() (Hub, int) {
	var hub Hub
	err := int(C.volo__go_hub_new(&hub.at))
	return hub, err
}

// Unref lets go of it.
func (h Hub) Unref() { C.volo__go_hub_unref(h.at) }

// FD makes a descriptor, the caller's to close, that is readable when there is
// news; negative without one.
func (h Hub) FD() int { return int(C.volo__go_hub_fd(h.at)) }

// Take reads news; one goroutine.
func (h Hub) Take(news []News) int {
	return int(C.volo__go_hub_take(h.at,
		(*C.struct_volo__go_news)(unsafe.Pointer(&news[0])), C.size_t(len(news))))
}

// Watch has id told when the client leaves.
func Watch(p unsafe.Pointer, h Hub, id uint64) int {
	return int(C.volo__go_watch(cx(p), h.at, C.uint64_t(id)))
}

// Writer is a volo_writer.
type Writer struct{ at *C.volo_writer }

// Stream answers with a stream; id is told of room, and of the client's
// leaving.
func Stream(answer *Answer, length int64, h Hub, id uint64) (Writer, int) {
	var w Writer
	err := int(C.volo__go_stream(&w.at, (*C.volo_answer)(unsafe.Pointer(answer)),
		C.int64_t(length), h.at, C.uint64_t(id)))
	return w, err
}

// Write sends a copy of data.
func (w Writer) Write(data []byte) int {
	return int(C.volo_writer_write(w.at, C.volo_str{
		ptr: (*C.char)(unsafe.Pointer(unsafe.SliceData(data))), len: C.size_t(len(data))}))
}

// Trailer adds a trailer field.
func (w Writer) Trailer(name, value string) int {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	cvalue := C.CString(value)
	defer C.free(unsafe.Pointer(cvalue))
	return int(C.volo_writer_trailer(w.at, cname, C.volo_str{ptr: cvalue, len: C.size_t(len(value))}))
}

// End says that the body is complete.
func (w Writer) End() int { return int(C.volo_writer_end(w.at)) }

// Free lets go; before the end, it cuts the response off.
func (w Writer) Free() { C.volo_writer_free(w.at) }

// Body is a request's body that is read as it comes.
type Body struct{ at *C.struct_volo__go_body }

// OpenBody has the body read; id is told when there is more.
func OpenBody(p unsafe.Pointer, h Hub, id uint64) (Body, int) {
	var b Body
	err := int(C.volo__go_body_open(&b.at, cx(p), h.at, C.uint64_t(id)))
	return b, err
}

// Read gives how much was read; 0 at the end; or a VOLO_E... code.
func (b Body) Read(p unsafe.Pointer, to []byte) int64 {
	return int64(C.volo__go_body_read(b.at, cx(p),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(to))), C.size_t(len(to))))
}

// Close says that the rest is not wanted.
func (b Body) Close(p unsafe.Pointer) { C.volo__go_body_close(b.at, cx(p)) }
