package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestRun(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	var got bytes.Buffer
	err := run(os.DirFS("testdata/repo"), &got)
	want := `DTS-A-1     one that a plain test proves
              pure TestOne
              pure TestParts
DTS-A-2     one that a part of a test proves
              pure TestOne
              pure TestParts
DTS-B-1     one that only another suite proves
              slow TestSlow
DTS-B-2     one that nobody proves
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if err == nil || err.Error() != "DTS-B-2 has no test: one that nobody proves" {
		t.Errorf("error = %v, want that DTS-B-2 has no test", err)
	}
}

func TestUnknown(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	err := run(fstest.MapFS{
		"test/requirements/ids.txt": {Data: []byte("# none\n")},
		"pkg/x_test.go":             {Data: []byte("package x\n\nfunc TestX(t *testing.T) { t.Attr(\"req\", \"DTS-A-7\") }\n")},
	}, io.Discard)
	if want := "DTS-A-7 is not in ids.txt, and is named by pkg TestX"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

// What the scan cannot read must not pass in silence.
func TestUnreadable(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	if _, err := scan(os.DirFS("testdata/bad")); err == nil || !strings.Contains(err.Error(), "bad_test.go:7:16") {
		t.Errorf("scan = %v, want an error at bad_test.go:7:16", err)
	}
}

func TestIDs(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	if list, err := readIDs(os.DirFS("."), "ids.txt"); err != nil || len(list) != 90 {
		t.Errorf("ids.txt: %d ids, %v; want the 90 of the contract", len(list), err)
	}
	for in, want := range map[string]string{
		"DTS-A x":               "ids:1: expected an id",
		"DTS-A-0 x":             "ids:1: expected an id",
		"DTS-A-1":               "ids:1: expected an id such as DTS-DET-1 and what it means",
		"DTS-A-1 x\nDTS-A-1  y": "ids:2: DTS-A-1 is in the list twice",
	} {
		if _, err := readIDs(fstest.MapFS{"ids": {Data: []byte(in)}}, "ids"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

// Every id has a test in this repository, every id that a test names is in the list, and each file can be read.
func TestThisRepository(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	if err := run(os.DirFS("../.."), io.Discard); err != nil {
		t.Error(err)
	}
}
