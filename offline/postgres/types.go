package postgres

import (
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// valueType is the value type that Feast gives a PostgreSQL type. Types that it
// does not know have INVALID, which it stores.
func valueType(oid uint32) types.ValueType_Enum {
	switch oid {
	case pgtype.BoolOID:
		return types.ValueType_BOOL
	case pgtype.Int2OID, pgtype.Int4OID:
		return types.ValueType_INT32
	case pgtype.Int8OID:
		return types.ValueType_INT64
	case pgtype.Float4OID:
		return types.ValueType_FLOAT
	case pgtype.Float8OID, pgtype.NumericOID:
		return types.ValueType_DOUBLE
	case pgtype.ByteaOID:
		return types.ValueType_BYTES
	case pgtype.TextOID, pgtype.BPCharOID, pgtype.VarcharOID:
		return types.ValueType_STRING
	case pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID, pgtype.TimeOID:
		return types.ValueType_UNIX_TIMESTAMP
	case pgtype.JSONOID, pgtype.JSONBOID:
		return types.ValueType_MAP
	case pgtype.UUIDOID:
		return types.ValueType_UUID
	}
	return listType(oid)
}

func listType(oid uint32) types.ValueType_Enum {
	switch oid {
	case pgtype.BoolArrayOID:
		return types.ValueType_BOOL_LIST
	case pgtype.Int2ArrayOID, pgtype.Int4ArrayOID:
		return types.ValueType_INT32_LIST
	case pgtype.Int8ArrayOID:
		return types.ValueType_INT64_LIST
	case pgtype.Float4ArrayOID:
		return types.ValueType_FLOAT_LIST
	case pgtype.Float8ArrayOID, pgtype.NumericArrayOID:
		return types.ValueType_DOUBLE_LIST
	case pgtype.TextArrayOID, pgtype.BPCharArrayOID:
		return types.ValueType_STRING_LIST
	case pgtype.ByteaArrayOID:
		return types.ValueType_BYTES_LIST
	case pgtype.DateArrayOID, pgtype.TimestampArrayOID, pgtype.TimestamptzArrayOID, pgtype.TimeArrayOID:
		return types.ValueType_UNIX_TIMESTAMP_LIST
	case pgtype.JSONArrayOID, pgtype.JSONBArrayOID:
		return types.ValueType_MAP_LIST
	case pgtype.UUIDArrayOID:
		return types.ValueType_UUID_LIST
	}
	return types.ValueType_INVALID
}
