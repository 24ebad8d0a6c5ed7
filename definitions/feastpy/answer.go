package feastpy

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

const (
	// magic is the first line of an answer; the number is the version of the format.
	magic = "banquet-definitions-1\n"
	// maxHeader bounds the header, maxAnswer the whole, in bytes.
	maxHeader = 1 << 20
	maxAnswer = 512 << 20
)

// answer is the script's output: the versions, and the definitions or the error.
type answer struct {
	Python string   `json:"python"`
	Feast  string   `json:"feast"`
	Error  *trouble `json:"error"`
	// References are the features of services that are given as text.
	References map[string][]string `json:"references"`

	registry *core.Registry
}

// trouble is the error that stopped the script.
type trouble struct {
	// Kind: missing, broken or unknown (Feast is not usable), code, exit, object or
	// twice (a fault of the repository), kinds (objects of a newer Feast), reader.
	Kind string `json:"kind"`
	// Type and Message are those of the exception.
	Type    string `json:"type"`
	Message string `json:"message"`
	// File is relative to the repository; Line and Column (in characters) count from
	// 1 and are 0 if unknown. Source is the line.
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Source string `json:"source"`
	// Object is the class and name of an object, Bound the variable that it is bound
	// to.
	Object string `json:"object"`
	Bound  string `json:"bound"`
}

// decode parses an answer.
func decode(b []byte) (*answer, error) {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok || len(rest) < 4 {
		return nil, errors.New("it does not start like an answer")
	}
	n := int64(binary.BigEndian.Uint32(rest))
	rest = rest[4:]
	if n > maxHeader || n > int64(len(rest)) {
		return nil, fmt.Errorf("its header has %d bytes, of %d", n, len(rest))
	}
	a := &answer{registry: new(core.Registry)}
	if err := json.Unmarshal(rest[:n], a); err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	if a.Error != nil {
		return a, nil
	}
	if err := proto.Unmarshal(rest[n:], a.registry); err != nil {
		return nil, fmt.Errorf("its definitions: %w", err)
	}
	return a, nil
}
