package tap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/pcapgo"
)

// seen is one frame as ReadFile gave it.
type seen struct {
	at     int64
	length int
	data   string
}

func readAll(file []byte) (all []seen, err error) {
	err = ReadFile(bytes.NewReader(file), func(at int64, length int, data []byte) error {
		all = append(all, seen{at, length, string(data)})
		return nil
	})
	return all, err
}

// section builds a pcapng file by hand, in either byte order.
type section struct {
	binary.AppendByteOrder
	file []byte
}

func newSection(order binary.AppendByteOrder) *section {
	s := &section{AppendByteOrder: order}
	body := order.AppendUint32(nil, byteOrderMagic)
	body = order.AppendUint16(body, 1)
	body = order.AppendUint16(body, 0)
	s.block(blockSection, order.AppendUint64(body, 1<<64-1))
	return s
}

func (s *section) block(kind uint32, body []byte) *section {
	body = pad(body)
	n := uint32(len(body) + 12)
	s.file = s.AppendUint32(s.AppendUint32(s.file, kind), n)
	s.file = s.AppendUint32(append(s.file, body...), n)
	return s
}

// iface adds an interface; options are code, value pairs.
func (s *section) iface(link uint16, snaplen uint32, options ...any) *section {
	body := s.AppendUint32(s.AppendUint16(s.AppendUint16(nil, link), 0), snaplen)
	for i := 0; i < len(options); i += 2 {
		value := options[i+1].([]byte)
		body = s.AppendUint16(s.AppendUint16(body, uint16(options[i].(int))), uint16(len(value)))
		body = pad(append(body, value...))
	}
	return s.block(blockInterface, body)
}

func (s *section) packet(iface uint32, stamp uint64, length int, data string) *section {
	body := s.AppendUint32(s.AppendUint32(s.AppendUint32(nil, iface), uint32(stamp>>32)), uint32(stamp))
	body = s.AppendUint32(s.AppendUint32(body, uint32(len(data))), uint32(length))
	return s.block(blockEnhanced, append(body, data...))
}

func TestReadFileUnderstandsBothOrdersAndAllPacketBlocks(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		s := newSection(order)
		s.iface(1, 0)                                  // microseconds
		s.iface(1, 5, optIfTSResol, []byte{9})         // nanoseconds
		s.iface(1, 0, optIfTSResol, []byte{0x80 | 10}) // 1/1024 s
		s.iface(1, 0, optIfTSOffset, order.AppendUint64(nil, 100), optIfTSResol, []byte{3})
		s.packet(0, 1_000_001, 60, "abc")
		s.packet(1, 1_000_001, 6, "abcde")
		s.packet(2, 1536, 4, "abcd")
		s.packet(3, 2500, 0, "")
		s.block(0x0BAD, []byte("somebody's own"))
		s.block(blockSimple, append(order.AppendUint32(nil, 3), "xyz"...))
		old := order.AppendUint16(order.AppendUint16(nil, 1), 7) // seven drops before it
		old = order.AppendUint32(order.AppendUint32(old, 0), 42)
		s.block(blockPacketOld, append(order.AppendUint32(order.AppendUint32(old, 2), 9), "hi"...))
		file := append(s.file, newSection(binary.BigEndian).iface(1, 2).block(blockSimple, []byte("\x00\x00\x00\x09zz")).file...)
		got, err := readAll(file)
		if err != nil {
			t.Fatal(err)
		}
		want := []seen{
			{1_000_001_000, 60, "abc"}, {1_000_001, 6, "abcde"}, {1_500_000_000, 4, "abcd"}, {102_500_000_000, 0, ""},
			{0, 3, "xyz"}, {42, 9, "hi"}, {0, 9, "zz"},
		}
		if len(got) != len(want) {
			t.Fatalf("%v: %d frames, want %d", order, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%v: frame %d is %+v, want %+v", order, i, got[i], want[i])
			}
		}
	}
}

func TestReadFileUnderstandsClassicPcap(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for magic, unit := range map[uint32]int64{magicMicro: 1000, magicNano: 1} {
			b := order.AppendUint16(order.AppendUint16(order.AppendUint32(nil, magic), 2), 4)
			b = order.AppendUint32(order.AppendUint32(append(b, make([]byte, 8)...), 65535), 1)
			b = order.AppendUint32(order.AppendUint32(order.AppendUint32(order.AppendUint32(b, 7), 999_999), 2), 60)
			got, err := readAll(append(b, "ab"...))
			if want := (seen{7e9 + 999_999*unit, 60, "ab"}); err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("%v %#x: %+v, %v; want %+v", order, magic, got, err, want)
			}
		}
	}
}

func TestReadFileAgreesWithPcapgo(t *testing.T) {
	paths, _ := filepath.Glob("../../../testdata/captures/*.pcap")
	if len(paths) == 0 {
		t.Fatal("no captures found")
	}
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := readAll(file)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		r, err := pcapgo.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range ours {
			data, ci, err := r.ReadPacketData()
			if want := (seen{ci.Timestamp.UnixNano(), ci.Length, string(data)}); err != nil || got != want {
				t.Fatalf("%s: frame %d differs from pcapgo's (%v)", path, i, err)
			}
		}
		if _, _, err := r.ReadPacketData(); err != io.EOF {
			t.Errorf("%s: pcapgo reads more than %d frames (%v)", path, len(ours), err)
		}
	}
}

func TestReadFileNamesWhatIsWrongAndWhere(t *testing.T) {
	le := binary.LittleEndian
	plain := func() *section { return newSection(le).iface(1, 0) }
	patched := func(s *section, at int, v uint32) []byte { le.PutUint32(s.file[at:], v); return s.file }
	classic := pcapOf(t, [][]byte{make([]byte, 60)})
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"empty":           {nil, "empty file"},
		"three bytes":     {[]byte("abc"), "offset 0: file header needs 4 bytes"},
		"text":            {[]byte("hello, world"), "offset 0: magic number"},
		"cut block":       {plain().packet(0, 1, 60, "abcdefgh").file[:70], "offset 56: pcapng block needs"},
		"cut head":        {plain().file[:30], "pcapng block type needs 4 bytes"},
		"huge block":      {patched(plain(), 32, 0xfffffff0), "offset 32: block length 4294967280, more than 1048576"},
		"tiny block":      {patched(plain(), 32, 8), "offset 32: block length 8"},
		"odd block":       {patched(plain(), 32, 21), "offset 32: block length 21"},
		"lengths differ":  {patched(plain(), 44, 24), "offset 44: block ends with length 24 and began with 20"},
		"order":           {patched(plain(), 8, 0x12345678), "offset 8: byte-order magic"},
		"version":         {patched(plain(), 12, 2), "offset 12: pcapng version 2.0"},
		"no interface":    {newSection(le).packet(0, 1, 1, "a").file, "offset 28: packet of interface 0, the section has 0"},
		"link":            {newSection(le).iface(113, 0).packet(0, 1, 1, "a").file, "link type 113, want Ethernet"},
		"caplen":          {patched(plain().packet(0, 1, 4, "abcd"), 68, 0x7fffffff), "offset 48: packet claims 2147483647 bytes, its block has room for 4"},
		"longer than was": {plain().packet(0, 1, 3, "abcd").file, "packet keeps 4 bytes of a frame of 3"},
		"resolution":      {newSection(le).iface(1, 0, optIfTSResol, []byte{40}).file, "resolution 10^-40"},
		"option":          {patched(newSection(le).iface(1, 0, 12, []byte("abcd")), 44, 12|0xff<<16), "interface option 12 of 255 bytes, 4 are left"},
		"time":            {newSection(le).iface(1, 0, optIfTSResol, []byte{0}).packet(0, 1<<63, 1, "a").file, "is out of range"},
		"pcap link":       {append(append([]byte{}, classic[:20]...), 113, 0, 0, 0), "offset 20: link type 113"},
		"pcap huge":       {append(append([]byte{}, classic[:32]...), 0, 0, 0, 0x10, 0, 0, 0, 0x10), "offset 24: record claims 268435456 bytes"},
		"pcap cut":        {classic[:60], "offset 40: pcap frame needs 60 bytes"},
		"pcap cut head":   {classic[:30], "offset 24: pcap record header needs 16 bytes"},
	} {
		if _, err := readAll(test.file); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want ...%s...", name, err, test.want)
		}
	}
}

func TestReadFileReturnsItsCallersErrorAndItsReaders(t *testing.T) {
	mine := errors.New("enough")
	err := ReadFile(bytes.NewReader(pcapOf(t, [][]byte{make([]byte, 60)})), func(int64, int, []byte) error { return mine })
	if err != mine {
		t.Errorf("%v, want the callback's error", err)
	}
	if err := ReadFile(iotestErr{}, nil); !errors.Is(err, errGone) {
		t.Errorf("%v, want the reader's error", err)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errGone }

func FuzzReadFile(f *testing.F) {
	frames := builtFrames(f)[:6]
	f.Add(pcapOf(f, frames))
	s := newSection(binary.BigEndian).iface(1, 0, optIfTSResol, []byte{9}).packet(0, 1, 4, "abcd").block(blockSimple, []byte("\x00\x00\x00\x02ab"))
	f.Add(s.file)
	f.Add(append(newSection(binary.LittleEndian).iface(1, 10, optIfTSOffset, make([]byte, 8)).packet(0, 1<<40, 4, "abcd").file, s.file...))
	paths, _ := filepath.Glob("../../../testdata/captures/*.pcap*")
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil && len(b) < 8<<10 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		total := 0
		err := ReadFile(bytes.NewReader(file), func(at int64, length int, data []byte) error {
			total += len(data)
			if length < len(data) || len(data) > maxBlock {
				t.Fatalf("%d bytes of a frame of %d", len(data), length)
			}
			return nil
		})
		if total > len(file) {
			t.Fatalf("%d bytes of frames in a file of %d", total, len(file))
		}
		if err != nil && !strings.HasPrefix(err.Error(), "reading capture") {
			t.Fatalf("error without its place: %v", err)
		}
	})
}
