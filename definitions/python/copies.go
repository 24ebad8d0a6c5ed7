package python

import "fmt"

// copied is copy.copy.
func copied(c *Call) (any, error) {
	v, err := c.one("copy")
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *List:
		return &List{Items: append([]any{}, v.Items...)}, c.run.charge(len(v.Items))
	case *Dict:
		return v.clone(), c.run.charge(v.Len())
	case *Set:
		return v.clone(), c.run.charge(v.Len())
	case *Instance:
		if v.Class.enum != nil || v.Class.isException() {
			return v, copyRefused(v)
		}
		return &Instance{Class: v.Class, own: *v.own.clone(), tuple: v.tuple}, nil
	case Object:
		return nil, fmt.Errorf("copying a %s is not read; make another one", TypeName(v))
	}
	return v, nil
}

// copyRefused refuses to copy an object that has to be made anew.
func copyRefused(v *Instance) error {
	if v.Class.enum != nil {
		return nil
	}
	return fmt.Errorf("copying a %s is not read; make another one", TypeName(v))
}

// deepCopied is copy.deepcopy of lists, dicts and constants.
func deepCopied(c *Call) (any, error) {
	v, err := c.one("deepcopy")
	if err != nil {
		return nil, err
	}
	return deep(c, v, 0)
}

func deep(c *Call, v any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("this value is nested too deep to be copied")
	}
	if err := c.run.charge(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *List:
		out := &List{}
		for _, item := range v.Items {
			d, err := deep(c, item, depth+1)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, d)
		}
		return out, nil
	case Tuple:
		out := Tuple{}
		for _, item := range v {
			d, err := deep(c, item, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
		return out, nil
	case *Dict:
		out := &Dict{factory: v.factory, kind: v.kind}
		for k, item := range v.All() {
			d, err := deep(c, item, depth+1)
			if err != nil {
				return nil, err
			}
			if err := out.Put(k, d); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *Set:
		return v.clone(), nil
	case *Instance:
		return v, copyRefused(v)
	case Object:
		return nil, fmt.Errorf("copying a %s is not read; make another one", TypeName(v))
	}
	return v, nil
}
