// SPDX-License-Identifier: Apache-2.0

package volo

import "encoding/json"

// jsonEncoder writes JSON to a buffer that is used again.
type jsonEncoder struct {
	to  *[]byte
	enc *json.Encoder
}

// Write adds to the buffer.
func (e *jsonEncoder) Write(p []byte) (int, error) {
	*e.to = append(*e.to, p...)
	return len(p), nil
}

// encode makes what is in the buffer the JSON of v.
func (e *jsonEncoder) encode(buffer *[]byte, v any) error {
	if e.enc == nil {
		e.enc = json.NewEncoder(e)
	}
	e.to = buffer
	*buffer = (*buffer)[:0]
	if err := e.enc.Encode(v); err != nil {
		*buffer = (*buffer)[:0]
		return err
	}
	*buffer = (*buffer)[:len(*buffer)-1] // a line feed
	return nil
}
