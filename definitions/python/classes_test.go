package python_test

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions/python"
)

// What is not read of classes is refused by name, where it is first seen.
func TestWhatIsNotReadOfClassesIsRefusedByName(t *testing.T) {
	const enums = "from enum import Enum, Flag, IntFlag, auto, member\n"
	const data = "from dataclasses import dataclass, field, InitVar, KW_ONLY, make_dataclass\n"
	for _, c := range []struct{ name, source, want string }{
		{"class: __new__", "class A:\n    def __new__(cls): pass\n", "program.py:2:5: __new__ of class A is not read"},
		{"class: __slots__", "class A:\n    __slots__ = ('x',)\n", "program.py:2:5: __slots__ of class A is not read"},
		{"class: descriptors of its own", "class A:\n    def __get__(self, o, t): pass\n", "program.py:2:5: __get__ of class A is not read"},
		{"class: __set_name__", "class A:\n    def __set_name__(self, o, n): pass\n", "__set_name__ of class A is not read"},
		{"class: __getattribute__", "class A:\n    def __getattribute__(self, n): pass\n", "__getattribute__ of class A is not read"},
		{"class: __delattr__", "class A:\n    def __delattr__(self, n): pass\n", "__delattr__ of class A is not read"},
		{"class: __class_getitem__", "class A:\n    def __class_getitem__(cls, k): pass\n", "__class_getitem__ of class A is not read"},
		{"class: operators, as __add__", "class A:\n    def __add__(self, o): pass\n", "__add__ of class A is not read"},
		{"class: __ne__", "class A:\n    def __ne__(self, o): pass\n", "__ne__ of class A is not read"},
		{"class: conversions, as __int__", "class A:\n    def __int__(self): pass\n", "__int__ of class A is not read"},
		{"class: special names assigned in the body", "class A:\n    __neg__ = lambda self: 1\n", "__neg__ of class A is not read"},
		{"class: special names set after the body", "class A: pass\nA.__eq__ = lambda a, b: True\n", "program.py:2:1: __eq__ of class A cannot be set after its body"},
		{"class: metaclasses", "class M: pass\nclass A(metaclass=M): pass\n", "program.py:2:19: the metaclass of class A is not read"},
		{"class: a metaclass of its own", "class M(type): pass\n", "program.py:1:9: a class made from type is not read"},
		{"class: type() with three arguments", "A = type('A', (), {})\n", "making a class by type() is not read"},
		{"class: bases spread with *", "B = ()\nclass A(*B): pass\n", "bases and options of a class that are spread with * are not read"},
		{"class: made from dict", "class A(dict): pass\n", "program.py:1:9: a class made from dict is not read"},
		{"class: made from list", "class A(list): pass\n", "a class made from list is not read"},
		{"class: made from str alone", "class A(str): pass\n", "a class made from str is not read"},
		{"class: made from an abstract collection", "from collections.abc import Mapping\nclass A(Mapping): pass\n", "a class made from Mapping is not read"},
		{"class: __dict__ of a data class", "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nout = A.__dict__\n", "__dict__ of class A is not read"},
		{"class: __subclasses__", "class A: pass\nout = A.__subclasses__()\n", "__subclasses__ of class A is not read"},
		{"class: the name __class__", "class A:\n    def f(self): return __class__\nA().f()\n", "__class__ is read as an attribute alone"},
		{"class: setting __class__", "class A: pass\na = A()\na.__class__ = A\n", "__class__ of a A cannot be set here"},
		{"class: the text of an object that has none", "class A: pass\nout = str(A())\n", "the text of a A"},
		{"class: deleting an attribute", "class A: pass\na = A()\na.x = 1\ndel a.x\n", "program.py:4:5: what this deletes cannot be read"},
		{"class: super() in a function within a method", "class A:\n    def f(self):\n        return (lambda: super())()\nA().f()\n", "super() is read in methods alone"},
		{"class: super() with one argument", "class A:\n    def f(self): super(A)\nA().f()\n", "super() with one argument is not read"},
		{"class: dir()", "class A: pass\ndir(A)\n", "dir() is not read"},
		{"class: deepcopy of an object", "import copy\nclass A: pass\ncopy.deepcopy(A())\n", "copying a A is not read"},
		{"hook: keys of one hash that are not equal", "class A:\n    def __hash__(self): return 1\n{A(): 1, A(): 2}\n", "have one hash and are not equal"},
		{"hook: the number of hash()", "out = hash('a') % 2\n", "the number that hash() gives differs from run to run"},
		{"hook: __eq__ that gives no bool", "class A:\n    def __eq__(self, o): return 'x'\nA() == 1\n", "an __eq__ that gives a str is not read"},
		{"hook: iterating by __getitem__", "class A:\n    def __getitem__(self, i): return i\nlist(A())\n", "iterating over a A by its __getitem__ is not read"},
		{"hook: slices of an object", "class A:\n    def __getitem__(self, i): return i\nA()[1:2]\n", "a slice of a A is not read"},
		{"enum: Flag", enums + "class A(Flag): pass\n", "program.py:2:9: a class made from Flag is not read"},
		{"enum: IntFlag", enums + "class A(IntFlag): pass\n", "a class made from IntFlag is not read"},
		{"enum: the functional form", enums + "C = Enum('C', 'A B')\n", "C"},
		{"enum: member and nonmember", enums + "class A(Enum):\n    X = member(1)\n", "enum.member is not read"},
		{"enum: _ignore_ and _order_", enums + "class A(Enum):\n    _order_ = 'A'\n", "_order_ of an enumeration is not read"},
		{"enum: auto() within a tuple", enums + "class A(Enum):\n    X = auto(), 1\n", "auto() within a tuple is not read"},
		{"enum: classes as members", enums + "class A(Enum):\n    X = int\n", "as a member of an enumeration is not read"},
		{"enum: values that are not of the mixed type", enums + "class A(str, Enum):\n    X = 1\n", "a int as a member of an enumeration of str is not read"},
		{"enum: an __init__ that sets _value_", enums + "class A(Enum):\n    X = 1\n    def __init__(self, v): self._value_ = 2\n", "an __init__ that sets _value_ of an enumeration is not read"},
		{"enum: __members__ that are changed", enums + "class A(Enum):\n    X = 1\nA.__members__.clear()\n", "the members of an enumeration are not changed"},
		{"dataclass: slots", data + "@dataclass(slots=True)\nclass A: x: int\n", "program.py:2:2: slots of a dataclass is not read"},
		{"dataclass: kw_only", data + "@dataclass(kw_only=True)\nclass A: x: int\n", "kw_only of a dataclass is not read"},
		{"dataclass: unsafe_hash", data + "@dataclass(unsafe_hash=True)\nclass A: x: int\n", "unsafe_hash of a dataclass is not read"},
		{"dataclass: InitVar", data + "@dataclass\nclass A:\n    x: InitVar[int]\n", "program.py:4:5: InitVar of a dataclass is not read"},
		{"dataclass: KW_ONLY", data + "@dataclass\nclass A:\n    _: KW_ONLY\n", "KW_ONLY of a dataclass is not read"},
		{"dataclass: hash= of field()", data + "@dataclass\nclass A:\n    x: int = field(hash=True)\n", "program.py:4:14: hash of field() is not read"},
		{"dataclass: options that are not known", "import third\n" + data + "@dataclass(frozen=third.x)\nclass A: x: int\n", "program.py:3:2: the condition on third.x"},
		{"dataclass: make_dataclass", data + "A = make_dataclass('A', ['x'])\n", "dataclasses.make_dataclass is not read"},
		{"namedtuple: rename", "from collections import namedtuple\nP = namedtuple('P', 'a', rename=True)\n", "namedtuple() is read with a name, fields and defaults alone"},
		{"functools: singledispatch", "from functools import singledispatch\n@singledispatch\ndef f(x): pass\n", "program.py:2:2: functools.singledispatch is not read"},
		{"functools: partialmethod", "from functools import partialmethod\nclass A:\n    f = partialmethod(1)\n", "functools.partialmethod is not read"},
		{"functools: cache_info and cache_clear", "from functools import cache\n@cache\ndef f(): pass\nf.cache_clear()\n", "cache_clear of a function is not read"},
		{"functools: more results than lru_cache keeps", "from functools import lru_cache\n@lru_cache(maxsize=1)\ndef f(x): pass\nf(1)\nf(2)\n", "program.py:5:1: more than 1 results of a function are kept, which is not read"},
		{"typing: runtime_checkable", "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass P(Protocol): pass\n", "typing.runtime_checkable is not read"},
		{"exception: OSError of a number", "OSError(2, 'x')\n", "these arguments of a OSError are not read"},
		{"exception: named arguments", "ImportError('x', name='m')\n", "named arguments of a ImportError are not read"},
		{"exception: __cause__ and its kin", "e = ValueError('x')\nout = e.__cause__\n", "__cause__ of a ValueError is not read"},
		{"exception: errno, name, value and such", "e = ValueError('x')\nout = e.errno\n", "errno of a ValueError is not read"},
		{"modules: __dict__", "import json as m\nimport sys\nout = vars(sys.modules['program'])\n", "__dict__ of module 'program' is not read"},
		{"functions: attributes of one's own", "def f(): pass\nf.x = 1\n", "attribute 'x' of a function cannot be set here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := read(c.source)
			if err == nil || python.ExceptionClass(err) != "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s\nis refused with %v\nwant %s", c.source, err, c.want)
			}
		})
	}
}

// What ends a file is said as Python's last line says it.
func TestTheTextOfAnExceptionIsShown(t *testing.T) {
	for _, c := range [][2]string{
		{"class ConfigError(Exception):\n    pass\nraise ConfigError('set X')\n", "program.py:3:1: the file raises ConfigError: set X"},
		{"class E(Exception):\n    def __str__(self): return 'own'\nraise E(1)\n", "the file raises E: own"},
		{"raise ValueError\n", "program.py:1:1: the file raises ValueError\n"},
		{"raise KeyError('k')\n", "the file raises KeyError: 'k'"},
		{"class A:\n    @property\n    def x(self): return 1\nA().x = 2\n", "program.py:4:1: property 'x' of 'A' object has no setter"},
	} {
		if _, _, err := read(c[0]); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s\nends with %v\nwant %s", c[0], err, c[1])
		}
	}
}
