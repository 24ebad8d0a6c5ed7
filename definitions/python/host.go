package python

// A host's values are of Go types of its own: pointers, or types that Go can
// compare. What they can do beside being passed on, they say by the interfaces
// here and by fmt.Stringer, which is str(v); the language asks for nothing else.
type (
	// Object has attributes. An attribute that it does not give is refused.
	Object interface {
		// Attr gives an attribute; false when the host does not read it.
		Attr(name string) (any, bool)
	}

	// Exact is an Object that nothing changes, and all of whose attributes are
	// known.
	Exact interface {
		// Unread reports whether Python has an attribute that Attr does not give; what
		// neither has is an AttributeError.
		Unread(name string) bool
	}

	// Mutable has attributes that can be set.
	Mutable interface {
		SetAttr(name string, v any) error
	}

	// Kinded says which types it is an instance of, its own first.
	Kinded interface {
		Kinds() []string
	}

	// Comparable may equal another value.
	Comparable interface {
		// Equal is asked about values that are not the same; it is not known when
		// only Python could say.
		Equal(other any) (equal, known bool)
	}

	// Keyed is no pointer, and equals another value of its type that has the same
	// key: as an item of a set and a key of a dict, too. Whether two that are equal
	// are one is not known.
	Keyed interface {
		Key() string
	}

	// Ordered comes before or after others.
	Ordered interface {
		// Compare is below 0 when it comes before the other value, 0 when neither does,
		// and above 0 when it comes after; false when they have no order.
		Compare(other any) (int, bool)
	}

	// Operand is taken by operators.
	Operand interface {
		// Binary is value op other, or other op value when they are swapped; false when
		// it does not take the other value.
		Binary(op string, other any, swapped bool) (v any, ok bool, err error)
	}

	// Signed is taken by "-" and "+" before it, and by "abs".
	Signed interface {
		Unary(op string) any
	}

	// Indexer can be indexed.
	Indexer interface {
		Index(key any) (any, error)
	}

	// Iterable is iterated over, each time anew.
	Iterable interface {
		Iterate() (*Iterator, error)
	}

	// Stepper is an iterator: false is its end.
	Stepper interface {
		Next() (v any, ok bool, err error)
	}

	// Written has the repr that it has in Python. A repr that is not known is that
	// of fmt.Stringer, in messages only.
	Written interface {
		Repr() string
	}

	// Formatted is formatted by a text of its own, which is not empty.
	Formatted interface {
		Format(format string) (any, error)
	}

	// Testable has a truth of its own; else what has a length is true unless that
	// is 0, and all other values are true.
	Testable interface {
		Truth() bool
	}

	// Context is entered and left by a with statement.
	Context interface {
		// Enter gives what "as" binds.
		Enter() (any, error)
		// Exit leaves the block; raised is the exception of Python that ends it, nil
		// for none. It may swallow that exception.
		Exit(raised error) (swallows bool, err error)
	}

	// sized has a length.
	sized interface{ Len() int }
)
