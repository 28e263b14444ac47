// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"unsafe"

	"libvolo/go/volo/internal/cvolo"
)

// What is longer goes to C memory at once, to be copied no second time.
const blockSize = 16 << 10

// Status sets the status of the answer, 200 to 999; 200 unless it is called.
// It gives c, so that one can say c.Status(201).JSON(v).
func (c *Ctx) Status(code int) *Ctx {
	if code < 200 || code > 999 {
		panic("volo: no status of an answer: " + strconv.Itoa(code))
	}
	c.on().status = code
	return c
}

// ---- Fields ------------------------------------------------------------------

// SetHeader gives the answer the field name with value, in the place of all
// that had the name.
//
// Errors: ErrInvalid (a name that is no token, a value with control octets, or
// a field that is libvolo's to write: Connection, Keep-Alive,
// Transfer-Encoding, Upgrade, Content-Length), ErrAnswered (the head has left).
func (c *Ctx) SetHeader(name, value string) error {
	x := c.on()
	if err := x.checkField(name, value); err != nil {
		return err
	}
	if isName("content-type", name) {
		x.contentType = value
		return nil
	}
	kept := x.fields[:0]
	for _, f := range x.fields {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	x.fields = append(kept, field_{name, value})
	return nil
}

// AddHeader is [Ctx.SetHeader] that leaves those beside it which have the name.
func (c *Ctx) AddHeader(name, value string) error {
	x := c.on()
	if err := x.checkField(name, value); err != nil {
		return err
	}
	if isName("content-type", name) {
		x.contentType = value
		return nil
	}
	x.fields = append(x.fields, field_{name, value})
	return nil
}

// RemoveHeader takes a field that SetHeader or AddHeader has set back.
func (c *Ctx) RemoveHeader(name string) {
	x := c.on()
	if isName("content-type", name) {
		x.contentType = ""
		return
	}
	kept := x.fields[:0]
	for _, f := range x.fields {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	clear(x.fields[len(kept):])
	x.fields = kept
}

// ResponseHeader is the first value of a field that was set; empty if none was.
func (c *Ctx) ResponseHeader(name string) string {
	x := c.on()
	if isName("content-type", name) {
		return x.contentType
	}
	for _, f := range x.fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// SetCookie adds a Set-Cookie field.  Errors: ErrInvalid, ErrAnswered.
func (c *Ctx) SetCookie(cookie *http.Cookie) error {
	if err := cookie.Valid(); err != nil {
		return ErrInvalid
	}
	return c.AddHeader("Set-Cookie", cookie.String())
}

// checkField refuses what libvolo would.
func (x *exchange) checkField(name, value string) error {
	if x.kind >= answerStream {
		return ErrAnswered
	}
	if !isToken(name) || !isFieldValue(value) || isReserved(name) {
		return ErrInvalid
	}
	return nil
}

// tokenOctets has a 1 for each octet of a token, RFC 9110 section 5.6.2.
var tokenOctets = func() (set [256]bool) {
	for c := range set {
		set[c] = c > ' ' && c < 0x7f && !strings.ContainsRune("\"(),/:;<=>?@[\\]{}", rune(c))
	}
	return set
}()

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenOctets[s[i]] {
			return false
		}
	}
	return s != ""
}

func isFieldValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}

func isReserved(name string) bool {
	switch len(name) {
	case 7:
		return isName("upgrade", name)
	case 10:
		return isName("connection", name) || isName("keep-alive", name)
	case 14:
		return isName("content-length", name)
	case 17:
		return isName("transfer-encoding", name)
	}
	return false
}

// ---- Content -----------------------------------------------------------------

// as sets the type of the content unless the handler has set one.
func (x *exchange) as(contentType string) {
	if x.contentType == "" {
		x.contentType = contentType
	}
}

// Text answers with text, as text/plain; charset=utf-8 unless Content-Type was
// set before.  Errors of this and all that follow: ErrAnswered (an answer is
// under way already).
func (c *Ctx) Text(text string) error {
	x := c.on()
	if err := x.open(); err != nil {
		return err
	}
	x.as("text/plain; charset=utf-8")
	return x.setText(text)
}

// HTML answers with text/html; charset=utf-8.
func (c *Ctx) HTML(html string) error {
	x := c.on()
	if err := x.open(); err != nil {
		return err
	}
	x.as("text/html; charset=utf-8")
	return x.setText(html)
}

// Bytes answers with a copy of body, of the media type contentType; if that is
// empty, of the one set before, else application/octet-stream.
func (c *Ctx) Bytes(contentType string, body []byte) error {
	x := c.on()
	if err := x.open(); err != nil {
		return err
	}
	if contentType != "" {
		if !isFieldValue(contentType) {
			return ErrInvalid
		}
		x.contentType = contentType
	}
	x.as("application/octet-stream")
	return x.setBytes(body)
}

// String is [Ctx.Bytes] of a string.
func (c *Ctx) String(contentType, body string) error {
	x := c.on()
	if err := x.open(); err != nil {
		return err
	}
	if contentType != "" {
		if !isFieldValue(contentType) {
			return ErrInvalid
		}
		x.contentType = contentType
	}
	x.as("application/octet-stream")
	return x.setText(body)
}

// JSON answers with v as encoding/json writes it.  An error of encoding it is
// returned, and nothing is answered.
func (c *Ctx) JSON(v any) error {
	x := c.on()
	if err := x.open(); err != nil {
		return err
	}
	if err := x.encoder.encode(&x.buffer, v); err != nil {
		return err
	}
	x.as("application/json")
	return x.keepBuffer()
}

// NoContent answers without content: 204 unless a status was set.
func (c *Ctx) NoContent() error {
	x := c.on()
	if err := x.open(); err != nil {
		return err
	}
	if x.status == 0 {
		x.status = http.StatusNoContent
	}
	return x.setText("")
}

// Redirect sends the client to location with status 301, 302, 303, 307 or 308.
func (c *Ctx) Redirect(status int, location string) error {
	switch status {
	case 301, 302, 303, 307, 308:
	default:
		return ErrInvalid
	}
	if err := c.SetHeader("Location", escapeReference(location)); err != nil {
		return err
	}
	c.on().status = status
	return c.on().setText("")
}

// escapeReference encodes what may not stand in a reference to a URI.
func escapeReference(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// File answers with the regular file at path, streamed by libvolo; its type is
// told by the name unless Content-Type was set.  If there is none it is 404,
// if it may not be read 403.
func (c *Ctx) File(path string) error {
	x := c.on()
	if err := x.open(); err != nil {
		return err
	}
	if strings.IndexByte(path, 0) >= 0 {
		return ErrInvalid
	}
	if x.passage == leaving {
		return ErrAnswered
	}
	x.dropBlock()
	x.text, x.kind = path, answerFile
	return nil
}

// Stream answers with what r gives until [io.EOF], as it comes; contentType as
// for [Ctx.Bytes].  An error of r cuts the answer off in a way that the client
// can tell, and is returned.
func (c *Ctx) Stream(contentType string, r io.Reader) error {
	if contentType != "" {
		if err := c.SetHeader("Content-Type", contentType); err != nil {
			return err
		}
	}
	w := c.Writer()
	_, err := w.ReadFrom(r)
	if err != nil {
		w.Abort()
	}
	return err
}

// ---- Where it is kept --------------------------------------------------------

func (x *exchange) setText(text string) error {
	x.dropBlock()
	if len(text) > blockSize {
		return x.setBlock(unsafe.Slice(unsafe.StringData(text), len(text)))
	}
	x.text, x.kind = text, answerText
	return nil
}

func (x *exchange) setBytes(body []byte) error {
	x.dropBlock()
	if len(body) > blockSize {
		return x.setBlock(body)
	}
	x.buffer = append(x.buffer[:0], body...)
	x.kind = answerBuffer
	return nil
}

// keepBuffer answers with what has been written to the buffer.
func (x *exchange) keepBuffer() error {
	x.dropBlock()
	if len(x.buffer) > blockSize {
		return x.setBlock(x.buffer)
	}
	x.kind = answerBuffer
	return nil
}

func (x *exchange) setBlock(body []byte) error {
	block, ok := cvolo.NewBlock(body)
	if !ok {
		return ErrNoMemory
	}
	x.block, x.kind = block, answerBlock
	return nil
}

func (x *exchange) dropBlock() {
	if x.kind == answerBlock {
		x.block.Free()
		x.kind = answerNone
	}
}

// content is the content so far, good until it changes.
func (x *exchange) content() string {
	switch x.kind {
	case answerText:
		return x.text
	case answerBuffer:
		return unsafe.String(unsafe.SliceData(x.buffer), len(x.buffer))
	case answerBlock:
		return x.block.View()
	case answerPassed:
		return x.passed.View()
	}
	return ""
}

// ResponseBody is a copy of the content that was set; nil if there is none in
// memory.
func (c *Ctx) ResponseBody() []byte {
	x := c.on()
	switch x.kind {
	case answerText, answerBuffer, answerBlock:
		return []byte(x.content())
	case answerPassed:
		if !x.passed.Absent() {
			return []byte(x.content())
		}
	}
	return nil
}
