// SPDX-License-Identifier: Apache-2.0

package cvolo

/*
#include "passage.h"
*/
import "C"

import "unsafe"

// Layer is a place in a C router for what is known when a program starts.
type Layer struct{ at *C.struct_volo__go_layer }

// NewLayer makes one, and the layer that it is, the caller's to unref.
func NewLayer() (Layer, Volo_layer, int) {
	var layer Layer
	var as *C.volo_layer
	err := int(C.volo__go_layer_new(&layer.at, &as))
	return layer, SwigcptrVolo_layer(unsafe.Pointer(as)), err
}

// Clear lets all pass from now on; while nothing runs.
func (l Layer) Clear() { C.volo__go_layer_set(l.at, nil, 0) }

// SetQueue puts what comes on a queue, with a number.
func (l Layer) SetQueue(queue Volo_queue, route uintptr) int {
	return int(C.volo__go_layer_set(l.at, (*C.volo_queue)(pointer(queue.Swigcptr())),
		C.uintptr_t(route)))
}

// NewNote makes somebody who can be told of what becomes of an exchange; nil if
// there is no memory.
func (h Hub) NewNote(id uint64) unsafe.Pointer {
	return unsafe.Pointer(C.volo__go_note_new(h.at, C.uint64_t(id)))
}

// DropNote gives one back.
func DropNote(note unsafe.Pointer) { C.volo__go_note_unref(note) }

// GoOn lets an exchange go on from a layer; note comes back with it.  What it
// lends is kept until [Unkeep].
func GoOn(p, note unsafe.Pointer) int {
	C.volo_cx_keep(cx(p))
	err := int(C.volo__go_go_on(cx(p), (*C.struct_volo__go_note)(note)))
	if err < 0 {
		C.volo_cx_unkeep(cx(p))
	}
	return err
}

// Unkeep ends that.
func Unkeep(p unsafe.Pointer) { C.volo_cx_unkeep(cx(p)) }

// Around is the note of the nearest layer around; nil if there is none.
func Around(p unsafe.Pointer) unsafe.Pointer { return unsafe.Pointer(C.volo__go_around(cx(p))) }

// IsStreamed says whether the response comes from a writer.
func IsStreamed(p unsafe.Pointer) bool { return C.volo_cx_is_streamed(cx(p)) != 0 }
