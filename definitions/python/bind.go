package python

// bind assigns a value to a target.
func (r *Interpreter) bind(s *scope, target expr, v any) error {
	switch t := target.(type) {
	case *nameExpr:
		s.set(t.name, v)
		return nil
	case *tupleExpr:
		return r.unpack(s, t, t.items, v)
	case *listExpr:
		return r.unpack(s, t, t.items, v)
	case *attrExpr:
		owner, err := r.eval(s, t.value)
		if err != nil {
			return err
		}
		switch o := owner.(type) {
		case *Instance:
			o.Members[t.name] = v
		case *Class:
			o.Members[t.name] = v
		case *Unknown:
		default:
			return s.file.fail(t.at, "attribute '%s' of a %s cannot be set here; give it to the constructor", t.name, TypeName(owner))
		}
		return nil
	case *indexExpr:
		return r.bindIndex(s, t, v)
	}
	return s.file.fail(target.pos(), "cannot assign to this")
}

func (r *Interpreter) bindIndex(s *scope, t *indexExpr, v any) error {
	owner, err := r.eval(s, t.value)
	if err != nil {
		return err
	}
	key, err := r.eval(s, t.index)
	if err != nil {
		return err
	}
	switch o := owner.(type) {
	case *Dict:
		o.Put(key, v)
	case *List:
		i, ok := asInt(key)
		if i < 0 {
			i += int64(len(o.Items))
		}
		if !ok || i < 0 || i >= int64(len(o.Items)) {
			return s.file.fail(t.at, "index out of range")
		}
		o.Items[i] = v
	case *Unknown:
	default:
		return s.file.fail(t.at, "items of a %s cannot be set", TypeName(owner))
	}
	return nil
}

// unpack binds the items of a value to several targets, one of which may take
// the rest.
func (r *Interpreter) unpack(s *scope, at expr, targets []expr, v any) error {
	if u, ok := v.(*Unknown); ok {
		for _, t := range targets {
			if star, ok := t.(*starExpr); ok {
				t = star.value
			}
			if err := r.bind(s, t, u); err != nil {
				return err
			}
		}
		return nil
	}
	items, ok := Items(v)
	if !ok {
		return s.file.fail(at.pos(), "a %s cannot be unpacked", TypeName(v))
	}
	star := -1
	for i, t := range targets {
		if _, ok := t.(*starExpr); ok {
			star = i
		}
	}
	if star < 0 && len(items) != len(targets) || star >= 0 && len(items) < len(targets)-1 {
		return s.file.fail(at.pos(), "%d values are unpacked to %d names", len(items), len(targets))
	}
	for i, t := range targets {
		var err error
		switch rest := len(items) - len(targets) + 1; {
		case star < 0 || i < star:
			err = r.bind(s, t, items[i])
		case i == star:
			star, _ := t.(*starExpr)
			err = r.bind(s, star.value, &List{append([]any{}, items[i:i+rest]...)})
		default:
			err = r.bind(s, t, items[i+rest-1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}
