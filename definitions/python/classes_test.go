package python_test

import (
	"strings"
	"testing"
)

// An exception that ends a file is shown like Python's last line.
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
