// SPDX-License-Identifier: Apache-2.0

package cvolo

import "unsafe"

// These are the descriptors of volo/queue.h and of go.h, field by field: Go
// reads and writes them in C memory, without a call.  batch.c does not compile
// if they are not where it thinks; that they grow at their end does no harm.

// Str is a volo_str: octets that are not ours.
type Str struct {
	Ptr *byte
	Len uintptr
}

// Absent says whether there is nothing, not even an empty string.
func (s Str) Absent() bool { return s.Ptr == nil }

// View gives the octets themselves, good as long as their exchange lives.
func (s Str) View() string { return unsafe.String(s.Ptr, s.Len) }

// Bytes gives the octets themselves, good as long as their exchange lives.
func (s Str) Bytes() []byte { return unsafe.Slice(s.Ptr, s.Len) }

// String gives a copy, the caller's for good.
func (s Str) String() string { return string(s.Bytes()) }

// Pair is a volo_pair: a name with a value.
type Pair struct {
	Name  Str
	Value Str
	ID    uint32
	_     uint32
}

// Job is a volo_job: an exchange to be answered.
type Job struct {
	Cx          unsafe.Pointer
	Route       uintptr // a number, not a pointer
	Method      uint32
	Version     uint32
	MethodName  Str
	Target      Str
	Path        Str
	Query       Str
	Pattern     Str
	Body        Str
	headers     *Pair
	headerCount uintptr
	params      *Pair
	paramCount  uintptr
	Kind        uint32
	Status      uint32         // of the response, in Leave
	State       unsafe.Pointer // in Leave: what went on
}

// Kinds of jobs and of answers.
const (
	Serve = 0 // a job of a service
	Enter = 1 // of a layer, on the way in
	Leave = 2 // of a layer, on the way out

	Change = 2 // an answer to Leave
)

// Headers are the field lines of the request, names in lower case.
func (j *Job) Headers() []Pair { return unsafe.Slice(j.headers, j.headerCount) }

// Params are the parameters of the path.
func (j *Job) Params() []Pair { return unsafe.Slice(j.params, j.paramCount) }

// Answer is a volo_answer: what to answer an exchange with.
type Answer struct {
	Cx          unsafe.Pointer
	Status      int32
	Kind        uint32
	Headers     *Pair
	HeaderCount uintptr
	Body        Str
	Release     unsafe.Pointer
	User        unsafe.Pointer
}

// How much a Batch holds.
const (
	MaxAnswers = 64
	MaxPairs   = 512
	MaxBytes   = 64 << 10
)

// Batch is a struct volo__go_batch: answers on their way to C.  It lies in C
// memory, and what its answers point to lies in Bytes, or in a [Block].
type Batch struct {
	Count     uintptr
	PairCount uintptr
	ByteCount uintptr
	Answers   [MaxAnswers]Answer
	Pairs     [MaxPairs]Pair
	Bytes     [MaxBytes]byte
}

// Has says whether there is room for so many field lines and octets.
func (b *Batch) Has(pairs, bytes int) bool {
	return b.Count < MaxAnswers && b.PairCount+uintptr(pairs) <= MaxPairs &&
		b.ByteCount+uintptr(bytes) <= MaxBytes
}

// Put copies octets into the batch.
func (b *Batch) Put(s string) Str {
	at := b.ByteCount
	b.ByteCount = at + uintptr(len(s))
	copy(b.Bytes[at:], s)
	return Str{&b.Bytes[at%MaxBytes], uintptr(len(s))}
}

// PutName is Put with a NUL behind it.
func (b *Batch) PutName(s string) Str {
	name := b.Put(s)
	b.Bytes[b.ByteCount] = 0
	b.ByteCount++
	return name
}

// Next gives the next answer to fill in.
func (b *Batch) Next() *Answer {
	answer := &b.Answers[b.Count]
	*answer = Answer{}
	b.Count++
	return answer
}

// AddPair gives the next field line of an answer to fill in.
func (b *Batch) AddPair(answer *Answer) *Pair {
	pair := &b.Pairs[b.PairCount]
	b.PairCount++
	if answer.HeaderCount == 0 {
		answer.Headers = pair
	}
	answer.HeaderCount++
	return pair
}

// Lines makes it said that the lines of an answer are all there are, be it none.
func (b *Batch) Lines(answer *Answer) {
	if answer.HeaderCount == 0 {
		answer.Headers = &b.Pairs[0]
	}
}

// News is a struct volo__go_news: what has happened to whom.
type News struct {
	ID     uint64
	Events uint64
}

// What can happen; several at once, as bits.
const (
	Gone  = 1 // the client has left
	Room  = 2 // there is room to write
	Piece = 4 // there is something of the body, or its end
)
