package transform

import "github.com/banquet-fs/banquet/definitions/syntax"

// spread is code for the arguments of a call of which some are spread by * or **.
func (c *compiler) spread(e *syntax.Call) func(*machine) (*args, error) {
	values := make([]code, len(e.Args))
	for i, a := range e.Args {
		values[i] = c.expr(a.Value)
	}
	return func(m *machine) (*args, error) {
		a := m.arguments()
		a.names = nil // they are not those of the call
		for i, value := range values {
			v, err := value(m)
			if err == nil {
				err = a.add(m, e.Args[i], v)
			}
			if err != nil {
				m.depth--
				return nil, place(err, e.At())
			}
		}
		return a, nil
	}
}

// add adds the values of one argument.
func (a *args) add(m *machine, arg syntax.Arg, v val) error {
	switch {
	case arg.Spread == 1:
		all, err := m.listed(v)
		a.pos = append(a.pos, all...)
		return err
	case arg.Spread == 2:
		return a.addNamed(v)
	case arg.Name != "":
		a.names, a.named = append(a.names, arg.Name), append(a.named, v)
	default:
		a.pos = append(a.pos, v)
	}
	return nil
}

func (a *args) addNamed(v val) error {
	d, ok := v.ref.(*dict)
	if !ok {
		return typeError("argument after ** must be a mapping, not %s", v.typeName())
	}
	for i, k := range d.keys {
		if k.k != kText {
			return typeError("keywords must be strings")
		}
		if _, twice := a.get(-1, k.s); twice {
			return typeError("got multiple values for keyword argument %s", repr(k))
		}
		a.names, a.named = append(a.names, k.s), append(a.named, d.values[i])
	}
	return nil
}
