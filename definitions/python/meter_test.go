package python_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// Dicts and sets that the interpreter makes count their growth: each has its meter from
// the start. Copies of values without a call and values of a host get theirs when they are
// first seen.
func TestEachDictHasAMeter(t *testing.T) {
	exempt := map[string]string{
		"emptyOf": "an example of each type, which no program sees",
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range names {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || exempt[f.Name.Name] != "" || filepath.Ext(name) != ".go" || len(name) > 8 && name[len(name)-8:] == "_test.go" {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok {
					return true
				}
				kind, _ := lit.Type.(*ast.Ident)
				if kind == nil || kind.Name != "Dict" && kind.Name != "Set" {
					return true
				}
				seen++
				if !slices.ContainsFunc(lit.Elts, func(e ast.Expr) bool {
					kv, _ := e.(*ast.KeyValueExpr)
					key, _ := kv.Key.(*ast.Ident)
					return key.Name == "meter" || key.Name == "dict"
				}) {
					t.Errorf("%s: %s makes a %s without a meter", files.Position(lit.Pos()), f.Name.Name, kind.Name)
				}
				return true
			})
		}
	}
	if seen < 5 {
		t.Errorf("only %d dicts and sets are made", seen)
	}
}
