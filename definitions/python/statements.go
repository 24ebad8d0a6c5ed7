package python

import (
	"errors"
	"fmt"
	"slices"
)

// run executes statements until one leaves the body.
func (r *Interpreter) run(s *scope, body []stmt) (signal, error) {
	for _, st := range body {
		if !s.file.own {
			if err := r.charge(1); err != nil {
				return signal{}, s.locate(st.pos(), err)
			}
		}
		sig, err := r.execute(s, st)
		if err != nil || sig.kind != flowNext {
			return sig, s.locate(st.pos(), err)
		}
	}
	return signal{}, nil
}

func (r *Interpreter) execute(s *scope, st stmt) (signal, error) {
	switch st := st.(type) {
	case *returnStmt:
		v, err := r.evalOr(s, st.value, nil)
		return signal{flowReturn, v}, err
	case *jumpStmt:
		return signal{kind: map[string]flow{"break": flowBreak, "continue": flowContinue}[st.word]}, nil
	case *ifStmt:
		return r.conditional(s, st)
	case *forStmt:
		return r.loop(s, st)
	case *whileStmt:
		return r.while(s, st)
	case *tryStmt:
		return r.try(s, st)
	case *withStmt:
		return r.with(s, st)
	case *matchStmt:
		return r.match(s, st)
	case *groupStmt:
		return r.run(s, st.body)
	}
	return signal{}, r.simple(s, st)
}

// bindAll is a = b = value.
func (r *Interpreter) bindAll(s *scope, st *assignStmt) error {
	v, err := r.eval(s, st.value)
	if err != nil {
		return err
	}
	for _, t := range st.targets {
		if err := r.bind(s, t, v); err != nil {
			return err
		}
	}
	return nil
}

// simple executes a statement without control flow.
func (r *Interpreter) simple(s *scope, st stmt) error {
	switch st := st.(type) {
	case *exprStmt:
		_, err := r.eval(s, st.value)
		return err
	case *assignStmt:
		return r.bindAll(s, st)
	case *annotatedStmt:
		return r.annotated(s, st)
	case *augmentStmt:
		return r.augment(s, st)
	case *importStmt:
		return r.importModule(s, st)
	case *fromStmt:
		return r.importNames(s, st)
	case *funcStmt:
		return r.define(s, st)
	case *classStmt:
		return r.class(s, st)
	case *raiseStmt:
		return r.raise(s, st)
	case *assertStmt:
		return r.assert(s, st)
	case *deleteStmt:
		return r.delete(s, st.targets)
	case *scopeStmt:
		return nil // the parser has recorded the names
	}
	return fmt.Errorf("this statement cannot be read")
}

// annotated binds an annotated name; a class body records the name as a field.
func (r *Interpreter) annotated(s *scope, st *annotatedStmt) error {
	n, isName := st.target.(*nameExpr)
	if s.owner != nil && isName {
		if err := r.annotate(s, n.name, st); err != nil {
			return err
		}
	}
	if st.value == nil {
		return nil
	}
	v, err := r.eval(s, st.value)
	if err != nil {
		return err
	}
	return r.bind(s, st.target, v)
}

func (r *Interpreter) assert(s *scope, st *assertStmt) error {
	v, err := r.eval(s, st.cond)
	if err != nil {
		return err
	}
	yes, known := truth(v)
	if yes || !known {
		return nil
	}
	if st.message == nil {
		return &raised{class: "AssertionError", text: "this assertion does not hold", exact: true, args: Tuple{}}
	}
	m, err := r.eval(s, st.message)
	if err != nil {
		return err
	}
	text := Brief(m)
	if s, ok := asText(m); ok && len(s) <= maxBrief {
		text = s
	}
	return &raised{class: "AssertionError", text: "this assertion does not hold: " + text, exact: true, args: Tuple{m}}
}

func (r *Interpreter) delete(s *scope, targets []expr) error {
	for _, t := range targets {
		var err error
		switch t := t.(type) {
		case *nameExpr:
			err = s.unset(t.name)
		case *tupleExpr:
			err = r.delete(s, t.items)
		case *listExpr:
			err = r.delete(s, t.items)
		case *indexExpr:
			err = r.deleteItem(s, t)
		default:
			err = s.file.fail(t.pos(), "what this deletes cannot be read")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Interpreter) deleteItem(s *scope, t *indexExpr) error {
	owner, key, err := r.both(s, t.value, t.index)
	if err != nil {
		return err
	}
	if why := readOnly(owner); why != "" {
		return errors.New(why)
	}
	switch o := owner.(type) {
	case *Unknown:
		return nil
	case keyed:
		found, err := o.Delete(key)
		if err == nil && !found {
			err = raiseKey(key)
		}
		return err
	case *List:
		i, ok := position(key, len(o.Items))
		if !ok {
			return raise("IndexError", "index out of range")
		}
		o.Items = slices.Delete(o.Items, i, i+1)
		return r.charge((len(o.Items) - i) / 16)
	}
	if fixed(owner) {
		return raise("TypeError", "'%s' object doesn't support item deletion", TypeName(owner))
	}
	return fmt.Errorf("items of a %s cannot be deleted", TypeName(owner))
}

// fixed reports whether the items of a value of the language cannot be set.
func fixed(v any) bool {
	switch v.(type) {
	case nil, bool, int64, float64, string, Bytes, Tuple, Range, *Set, *View, *Iterator:
		return true
	}
	return false
}

// position converts an index to one from the start.
func position(key any, length int) (int, bool) {
	i, ok := asInt(key)
	if i < 0 {
		i += int64(length)
	}
	return int(i), ok && i >= 0 && i < int64(length)
}

// bind assigns a value to a target.
func (r *Interpreter) bind(s *scope, target expr, v any) error {
	switch t := target.(type) {
	case *nameExpr:
		return s.locate(t.at, r.assign(s, t.name, v))
	case *tupleExpr:
		return r.unpack(s, t, t.items, v)
	case *listExpr:
		return r.unpack(s, t, t.items, v)
	case *starExpr:
		return r.bind(s, t.value, v)
	case *attrExpr:
		owner, err := r.eval(s, t.value)
		if err != nil {
			return err
		}
		return s.locate(t.at, r.setAttribute(owner, t.name, v))
	case *indexExpr:
		return r.bindIndex(s, t, v)
	}
	return s.file.fail(target.pos(), "cannot assign to this")
}

// keyed is a value with items that can be set and deleted: a dict, or os.environ.
type keyed interface {
	Put(key, v any) error
	Delete(key any) (bool, error)
}

// setAttribute is owner.name = v.
func (r *Interpreter) setAttribute(owner any, name string, v any) error {
	switch o := owner.(type) {
	case *Instance:
		if f, ok := o.special("__setattr__").(*Function); ok {
			_, err := r.invoke(f, &Call{Args: []any{name, v}})
			return err
		}
		return r.put(o, name, v)
	case *Class:
		return o.setAttribute(name, v)
	case *Module:
		if u, ok := v.(*Unknown); ok && u.Trust == Untrusted {
			return fmt.Errorf("'%s.%s' may be a definition: only running Python can tell what %s is", o.Name, name, u.Why)
		}
		if _, ok := o.Names[name].(*Builtin); ok && o.Missing != nil {
			return fmt.Errorf("%s.%s is replaced, which is not read: others use it too", o.Name, name)
		}
		o.Names[name] = v
		return nil
	case *Unknown:
		if o.Trust == Untrusted {
			return fmt.Errorf("%s.%s is replaced, which is not read; %s", o.Why, name, remedyOf(o))
		}
		return r.lost(o, v)
	case *Function:
		return o.setAttribute(name, v)
	case Mutable:
		return o.SetAttr(name, v)
	}
	return fmt.Errorf("attribute '%s' of a %s cannot be set here; give it to the constructor", name, TypeName(owner))
}

// lost refuses to store a definition in an Unknown.
func (r *Interpreter) lost(u *Unknown, v any) error {
	if r.makes(v) {
		return fmt.Errorf("a definition is put into %s, which only running Python can tell", u.Why)
	}
	return nil
}

func (r *Interpreter) bindIndex(s *scope, t *indexExpr, v any) error {
	owner, err := r.eval(s, t.value)
	if err != nil {
		return err
	}
	u, unknown := owner.(*Unknown)
	if _, slice := t.index.(*sliceExpr); slice && unknown {
		return s.locate(t.at, r.lost(u, v))
	} else if slice {
		return s.file.fail(t.at, "assigning to a slice is not read; build the list anew")
	}
	key, err := r.eval(s, t.index)
	if err != nil {
		return err
	}
	return s.locate(t.at, r.setItem(owner, key, v))
}

// setItem is owner[key] = v.
func (r *Interpreter) setItem(owner, key, v any) error {
	if why := readOnly(owner); why != "" {
		return errors.New(why)
	}
	switch o := owner.(type) {
	case *Instance:
		if m := o.special("__setitem__"); m != nil {
			_, err := r.invoke(m, &Call{Args: []any{key, v}})
			return err
		}
		return raise("TypeError", "'%s' object does not support item assignment", TypeName(o))
	case keyed:
		if u, ok := key.(*Unknown); ok {
			return fmt.Errorf("this key cannot be known without running Python (%s)", u.Why)
		}
		return o.Put(key, v)
	case *List:
		i, ok := position(key, len(o.Items))
		if !ok {
			return raise("IndexError", "index out of range")
		}
		o.Items[i] = v
		return nil
	case *Unknown:
		return r.lost(o, v)
	}
	if fixed(owner) {
		return raise("TypeError", "'%s' object does not support item assignment", TypeName(owner))
	}
	return fmt.Errorf("items of a %s cannot be set", TypeName(owner))
}

// unpack binds the items of a value to several targets, one of which may take the
// rest.
func (r *Interpreter) unpack(s *scope, at expr, targets []expr, v any) error {
	if u, ok := v.(*Unknown); ok {
		for _, t := range targets {
			if err := r.bind(s, t, u); err != nil {
				return err
			}
		}
		return nil
	}
	star := slices.IndexFunc(targets, func(t expr) bool { _, ok := t.(*starExpr); return ok })
	items := []any{}
	err := r.each(v, func(item any) (bool, error) { // stop at the first surplus item
		items = append(items, item)
		return star >= 0 || len(items) <= len(targets), nil
	})
	if err == nil {
		err = r.meter.take(len(items) * itemSize)
	}
	if err != nil {
		return s.locate(at.pos(), err)
	}
	if star < 0 && len(items) != len(targets) || star >= 0 && len(items) < len(targets)-1 {
		return s.locate(at.pos(), raise("ValueError", "%d values are unpacked to %d names", len(items), len(targets)))
	}
	for i, v := range shared(items, len(targets), star) {
		if err := r.bind(s, targets[i], v); err != nil {
			return err
		}
	}
	return nil
}

// shared distributes items to n targets, one of which may take the rest as a list.
func shared(items []any, n, star int) []any {
	if star < 0 {
		return items
	}
	end := len(items) - n + star + 1
	return slices.Concat(items[:star], []any{NewList(slices.Clone(items[star:end])...)}, items[end:])
}
