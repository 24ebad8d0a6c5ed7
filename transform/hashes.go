package transform

import (
	"crypto/md5"  //nolint:gosec // functions of Python use it, not for secrets
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
)

// textEncode is str.encode() to UTF-8.
func textEncode(_ *machine, v val, a *args) (val, error) {
	if err := a.known("encode()", 1, "encoding"); err != nil {
		return val{}, err
	}
	if e, ok := a.get(0, "encoding"); ok && strings.ToLower(strings.ReplaceAll(e.s, "-", "")) != "utf8" {
		return val{}, outside("encode() to %s is not supported", repr(e))
	}
	return val{k: kBytes, s: v.s}, nil
}

// pyHash is a function of hashlib; its value is the digest.
func pyHash(name string) function1 {
	return func(_ *machine, a *args) (val, error) {
		if err := a.known("hashlib."+name+"()", 1, "usedforsecurity"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "hashlib."+name+"()")
		}
		v := a.pos[0]
		if v.k != kBytes {
			return val{}, &failure{class: "TypeError", text: "hashlib." + name + "() of a " + v.typeName() + " is not supported; encode texts", data: v.null()}
		}
		var sum []byte
		switch data := []byte(v.s); name {
		case "md5":
			x := md5.Sum(data) //nolint:gosec // as above
			sum = x[:]
		case "sha1":
			x := sha1.Sum(data) //nolint:gosec // as above
			sum = x[:]
		default:
			x := sha256.Sum256(data)
			sum = x[:]
		}
		return val{k: kHash, s: hex.EncodeToString(sum)}, nil
	}
}

func hashHex(_ *machine, v val, a *args) (val, error) {
	return textVal(v.s), a.known("hexdigest()", 0)
}

// intOfBase is int() of a text in a base. One of more than 64 bits can only be divided, with
// its remainder taken.
func intOfBase(v, base val) (val, error) {
	if base.k != kInt || base.i != 16 && base.i != 10 && base.i != 2 && base.i != 8 {
		return val{}, outside("int() in the base %s is not supported", repr(base))
	}
	if v.k != kText {
		return val{}, &failure{class: "TypeError", text: "int() can't convert non-string with explicit base", data: v.null()}
	}
	if len(v.s) > 256 {
		return val{}, tooMuch("int() of a text of more than 256 characters is not supported")
	}
	plain := v.s != "" && strings.Trim(strings.ToLower(v.s), "0123456789abcdef") == ""
	x, ok := new(big.Int).SetString(v.s, int(base.i))
	switch {
	case !plain && v.s != "" && strings.ContainsAny(v.s, " \t\n\r\v\f_+-xXoObB") || !ascii(v.s):
		return val{}, tooMuch("int(%s, %d) is not supported", repr(v), base.i)
	case !ok:
		return val{}, valueError("invalid literal for int() with base %d: %s", base.i, repr(v))
	case x.IsInt64():
		return intVal(x.Int64()), nil
	}
	return val{k: kBig, ref: x}, nil
}

// bigMod is the remainder of an integer of more than 64 bits, which is positive.
func bigMod(a, b val) (val, error) {
	if b.k != kInt || b.w != dNone || b.i <= 0 {
		return val{}, outside("operator %% of an integer of more than 64 bits and %s is not supported", repr(b))
	}
	return intVal(new(big.Int).Mod(a.ref.(*big.Int), big.NewInt(b.i)).Int64()), nil
}
