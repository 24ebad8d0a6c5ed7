package library

import (
	"crypto/md5"  //nolint:gosec // what the files ask for
	"crypto/sha1" //nolint:gosec // what the files ask for
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/banquet-fs/banquet/definitions/python"
)

func hashModule() names {
	out := names{}
	for n, make := range map[string]func() hash.Hash{
		"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	} {
		out[n] = python.NewFunction(n, "string? * usedforsecurity?", func(_ *python.Call, a []any) (any, error) {
			h := make()
			if a[0] != nil {
				if err := feed(h, a[0]); err != nil {
					return nil, err
				}
			}
			return hashing(n, h), nil
		})
	}
	return out
}

func feed(h hash.Hash, v any) error {
	b, ok := v.(python.Bytes)
	if !ok {
		if _, isText := python.Text(v); isText {
			return python.Raise("TypeError", "Strings must be encoded before hashing")
		}
		return python.Raise("TypeError", "object supporting the buffer API required")
	}
	_, err := h.Write(b)
	return err
}

func hashing(name string, h hash.Hash) *object {
	return &object{[]string{"HASH"}, names{
		"name": name, "digest_size": int64(h.Size()), "block_size": int64(h.BlockSize()),
		"hexdigest": python.NewFunction("hexdigest", "", func(*python.Call, []any) (any, error) { return hex.EncodeToString(h.Sum(nil)), nil }),
		"digest":    python.NewFunction("digest", "", func(*python.Call, []any) (any, error) { return python.Bytes(h.Sum(nil)), nil }),
		"update":    python.NewFunction("update", "data", func(_ *python.Call, a []any) (any, error) { return nil, feed(h, a[0]) }),
	}}
}

func base64Module() names {
	out := names{}
	for n, enc := range map[string]*base64.Encoding{"b64": base64.StdEncoding, "standard_b64": base64.StdEncoding, "urlsafe_b64": base64.URLEncoding} {
		out[n+"encode"] = python.NewFunction(n+"encode", "s", func(_ *python.Call, a []any) (any, error) {
			b, ok := a[0].(python.Bytes)
			if !ok {
				return nil, python.Raise("TypeError", "a bytes-like object is required, not '%s'", python.TypeName(a[0]))
			}
			return python.Bytes(enc.EncodeToString(b)), nil
		})
		out[n+"decode"] = python.NewFunction(n+"decode", "s", func(_ *python.Call, a []any) (any, error) {
			s, ok := python.Text(a[0])
			if b, isBytes := a[0].(python.Bytes); isBytes {
				s, ok = string(b), true
			}
			b, err := enc.Strict().DecodeString(s)
			if !ok || err != nil { // Python passes over what is no base64
				return nil, fmt.Errorf("%sdecode() of %s is not read", n, python.Brief(a[0]))
			}
			return python.Bytes(b), nil
		})
	}
	return out
}
