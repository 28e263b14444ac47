// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// parse gives what the setter of T makes of text.
func parse[T any](t *testing.T, text string) (value T, status int, why string) {
	t.Helper()
	set := setterFor(reflect.TypeFor[T]())
	if set == nil {
		t.Fatalf("no setter for %T", value)
	}
	status, why = set(reflect.ValueOf(&value).UnsafePointer(), text)
	return value, status, why
}

func accepts[T any](t *testing.T, text string, want T) {
	t.Helper()
	got, status, why := parse[T](t, text)
	if status != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%T of %q: %v, %d %s", want, text, got, status, why)
	}
}

func refuses[T any](t *testing.T, text string, want int, reason string) {
	t.Helper()
	got, status, why := parse[T](t, text)
	if status != want || !strings.Contains(why, reason) {
		t.Errorf("%T of %q: %v, %d %q", got, text, got, status, why)
	}
}

type colour int

func (c *colour) UnmarshalText(text []byte) error {
	_, err := netip.ParseAddr(string(text))
	*c = colour(len(text))
	return err
}

type number int16

func TestTextBecomesValues(t *testing.T) {
	accepts(t, "", "")
	accepts(t, "é", "é")
	accepts(t, "abc", []byte("abc"))
	accepts(t, "-5", -5)
	accepts(t, "+5", 5)
	accepts(t, "007", 7)
	accepts(t, "-128", int8(-128))
	accepts(t, "32767", number(32767))
	accepts(t, "-2147483648", int32(math.MinInt32))
	accepts(t, "-9223372036854775808", int64(math.MinInt64))
	accepts(t, "255", uint8(255))
	accepts(t, "65535", uint16(65535))
	accepts(t, "4294967295", uint32(math.MaxUint32))
	accepts(t, "18446744073709551615", uint64(math.MaxUint64))
	accepts(t, "-1.5e3", -1500.0)
	accepts(t, "0.25", float32(0.25))
	for _, text := range []string{"true", "1", "YES", "On"} {
		accepts(t, text, true)
	}
	for _, text := range []string{"False", "0", "no", "off"} {
		accepts(t, text, false)
	}
	accepts(t, "1m30s", 90*time.Second)
	accepts(t, "2026-01-02T03:04:05Z", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	accepts(t, "Fri, 02 Jan 2026 03:04:05 GMT", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	accepts(t, "::1", netip.IPv6Loopback())
	accepts(t, "10.0.0.1", colour(8))
	five := 5
	accepts(t, "5", &five)
}

func TestTextThatIsNoValueIsRefused(t *testing.T) {
	for _, text := range []string{"", "x", "1.0", "1_0", "0x1", " 1", "1 ", "--1", "é"} {
		refuses[int](t, text, 400, "must be an integer")
		refuses[uint](t, text, 400, "must be an unsigned integer")
	}
	refuses[uint](t, "-1", 400, "must be an unsigned integer")
	refuses[int8](t, "128", 422, "is out of range")
	refuses[int64](t, "9223372036854775808", 422, "is out of range")
	refuses[uint64](t, "18446744073709551616", 422, "is out of range")
	for _, text := range []string{"", "nan", "inf", "0x1p2", "1_0", ".5", "5.", "01", "1e", "+1"} {
		refuses[float64](t, text, 400, "must be a number")
	}
	refuses[float64](t, "1e999", 422, "is out of range")
	refuses[float32](t, "1e99", 422, "is out of range")
	refuses[bool](t, "", 400, "must be true or false")
	refuses[bool](t, "2", 400, "must be true or false")
	refuses[time.Duration](t, "10", 400, "must be a duration")
	refuses[time.Time](t, "yesterday", 400, "must be a time")
	refuses[netip.Addr](t, "home", 400, "ParseAddr")
	refuses[*int](t, "x", 400, "must be an integer")
}

func TestListsOfText(t *testing.T) {
	add := appenderFor(reflect.TypeFor[[]uint8]())
	if add != nil {
		t.Error("a []byte is a list")
	}
	var names []string
	var numbers []number
	var times []*time.Duration
	for _, text := range []string{"1s", "2s"} {
		appenderFor(reflect.TypeOf(names))(reflect.ValueOf(&names).UnsafePointer(), text)
		appenderFor(reflect.TypeOf(times))(reflect.ValueOf(&times).UnsafePointer(), text)
	}
	appenderFor(reflect.TypeOf(numbers))(reflect.ValueOf(&numbers).UnsafePointer(), "7")
	if !reflect.DeepEqual(names, []string{"1s", "2s"}) || numbers[0] != 7 ||
		*times[1] != 2*time.Second {
		t.Error(names, numbers, times)
	}
	if appenderFor(reflect.TypeFor[[]chan int]()) != nil {
		t.Error("channels are made of text")
	}
}

func TestQueriesAreTakenApart(t *testing.T) {
	name, value, rest, ok := nextPair("&&a=1&b&&c=2=3&")
	if name != "a" || value != "1" || !ok {
		t.Error(name, value)
	}
	if name, value, rest, _ = nextPair(rest); name != "b" || value != "" {
		t.Error(name, value)
	}
	if name, value, rest, _ = nextPair(rest); name != "c" || value != "2=3" {
		t.Error(name, value)
	}
	if _, _, _, ok = nextPair(rest); ok {
		t.Error("more of", rest)
	}
	for encoded, want := range map[string]string{
		"": "", "a": "a", "a+b": "a b", "%41%6a": "Aj", "%00": "\x00", "%C3%A9": "é",
	} {
		if got, ok := unescape(encoded); got != want || !ok {
			t.Errorf("%q: %q %v", encoded, got, ok)
		}
	}
	for _, broken := range []string{"%", "%4", "a%4", "%zz", "%4z", "%%41"} {
		if got, ok := unescape(broken); ok {
			t.Errorf("%q is %q", broken, got)
		}
	}
	if !nameIs("a%2Eb", "a.b") || nameIs("a%2", "a%2") || nameIs("a", "b") {
		t.Error("names")
	}
}

func TestCookiesAreFound(t *testing.T) {
	const field = ` a=1; b = "two"; c=; d;e=3;a=4`
	for name, want := range map[string]string{"a": "1", "b": "two", "c": "", "e": "3"} {
		if got, ok := findCookie(field, name); !ok || got != want {
			t.Errorf("%s: %q %v", name, got, ok)
		}
	}
	for _, name := range []string{"d", "", "A", "f"} {
		if got, ok := findCookie(field, name); ok {
			t.Errorf("%s: %q", name, got)
		}
	}
}
