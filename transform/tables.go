package transform

import "math"

type function1 = func(*machine, *args) (val, error)

// builtins are the functions of Python.
var builtins = map[string]function1{
	"len": pyLen, "float": pyFloat, "int": pyInt, "str": pyStr, "bool": pyBool, "abs": pyAbs, "round": pyRound, "range": pyRange, "zip": pyZip,
	"enumerate": pyEnumerate, "list": pyList(kList), "tuple": pyList(kTuple), "set": pySet, "dict": pyDict, "sum": pySum,
	"min": pyExtreme("<"), "max": pyExtreme(">"), "sorted": pySorted, "any": pyAny(false), "all": pyAny(true), "map": pyMap, "isinstance": pyIsinstance, "print": pyPrint,
}

// moduleFuncs are the functions of modules by their full names.
var moduleFuncs = map[string]function1{
	"numpy.where": npWhere, "numpy.select": npSelect, "numpy.array": npArray, "numpy.asarray": npArray,
	"numpy.maximum": npExtreme("np.maximum"), "numpy.minimum": npExtreme("np.minimum"), "numpy.fmax": npExtreme("np.fmax"), "numpy.fmin": npExtreme("np.fmin"),
	"numpy.isnan": npTest("np.isnan", math.IsNaN), "numpy.isinf": npTest("np.isinf", func(f float64) bool { return math.IsInf(f, 0) }),
	"numpy.isfinite": npTest("np.isfinite", func(f float64) bool { return !math.IsInf(f, 0) && f == f }),
	"numpy.log":      ufunc("np.log", logarithm), "numpy.log1p": ufunc("np.log1p", log1p), "numpy.log2": ufunc("np.log2", log2), "numpy.log10": ufunc("np.log10", log10),
	"numpy.exp": ufunc("np.exp", exp), "numpy.expm1": ufunc("np.expm1", expm1), "numpy.sqrt": ufunc("np.sqrt", math.Sqrt), "numpy.cbrt": ufunc("np.cbrt", math.Cbrt),
	"numpy.sin": ufunc("np.sin", math.Sin), "numpy.cos": ufunc("np.cos", math.Cos), "numpy.tan": ufunc("np.tan", math.Tan), "numpy.tanh": ufunc("np.tanh", math.Tanh),
	"numpy.arcsin": ufunc("np.arcsin", math.Asin), "numpy.arccos": ufunc("np.arccos", math.Acos), "numpy.arctan": ufunc("np.arctan", math.Atan),
	"numpy.radians": ufunc("np.radians", func(f float64) float64 { return f * (math.Pi / 180) }), "numpy.deg2rad": ufunc("np.deg2rad", func(f float64) float64 { return f * (math.Pi / 180) }),
	"numpy.sign": signOf, "numpy.floor": whole("np.floor", math.Floor), "numpy.ceil": whole("np.ceil", math.Ceil), "numpy.trunc": whole("np.trunc", math.Trunc),
	"numpy.rint": whole("np.rint", math.RoundToEven), "numpy.round": npRound, "numpy.around": npRound, "numpy.abs": npAbs, "numpy.absolute": npAbs, "numpy.fabs": ufunc("np.fabs", math.Abs),
	"numpy.square": func(m *machine, a *args) (val, error) {
		if len(a.pos) != 1 || a.pos[0].k != kColumn {
			return val{}, outside("np.square() of other than a column is not supported; use x * x")
		}
		return m.binary("*", a.pos[0], a.pos[0])
	},
	"numpy.add": npBinary("np.add", "+"), "numpy.subtract": npBinary("np.subtract", "-"), "numpy.multiply": npBinary("np.multiply", "*"), "numpy.divide": npBinary("np.divide", "/"),
	"numpy.true_divide": npBinary("np.true_divide", "/"), "numpy.power": npBinary("np.power", "**"), "numpy.floor_divide": npBinary("np.floor_divide", "//"), "numpy.mod": npBinary("np.mod", "%"),
	"numpy.logical_and": npLogical("np.logical_and", "&"), "numpy.logical_or": npLogical("np.logical_or", "|"), "numpy.logical_xor": npLogical("np.logical_xor", "^"), "numpy.logical_not": npNot,
	"numpy.clip": npClip, "numpy.nan_to_num": npNanToNum, "numpy.sum": npReduce("sum"), "numpy.mean": npReduce("mean"), "numpy.min": npReduce("min"), "numpy.max": npReduce("max"),
	"numpy.zeros_like": npFilled("np.zeros_like", intVal(0)), "numpy.ones_like": npFilled("np.ones_like", intVal(1)), "numpy.full_like": npFilled("np.full_like", val{}),

	"pandas.DataFrame": pdDataFrame, "pandas.DataFrame.from_dict": pdFromDict, "pandas.Series": pdSeries, "pandas.concat": pdConcat, "pandas.isna": pdIsna(true), "pandas.isnull": pdIsna(true),
	"pandas.notna": pdIsna(false), "pandas.notnull": pdIsna(false), "pandas.to_numeric": pdToNumeric, "pandas.to_datetime": pdToDatetime,
	"pandas.cut": pdCut, "numpy.zeros": npNew("np.zeros", floatVal(0)), "numpy.ones": npNew("np.ones", floatVal(1)), "numpy.full": npNew("np.full", val{}),
	"numpy.std": npDeviation("std"), "numpy.var": npDeviation("var"), "numpy.median": npReduce("median"), "numpy.percentile": npQuantile("np.percentile", 100), "numpy.quantile": npQuantile("np.quantile", 1),
	"numpy.arctan2": ufunc2("np.arctan2", math.Atan2), "numpy.hypot": ufunc2("np.hypot", math.Hypot),
	"numpy.dot": npDot("np.dot"), "numpy.inner": npDot("np.inner"), "numpy.vdot": npDot("np.vdot"), "numpy.linalg.norm": npNorm, "numpy.vectorize": npVectorize,
	"numpy.digitize": npDigitize, "numpy.searchsorted": npSearchsorted, "pandas.Timestamp": pdTimestamp, "pandas.Timestamp.now": pyNow("pd.Timestamp.now"), "pandas.Timestamp.today": pyNow("pd.Timestamp.today"), "pandas.Timestamp.utcnow": pyUTCNow("pd.Timestamp.utcnow", true), "pandas.to_timedelta": pdToTimedelta,
	"datetime.datetime": pyDatetime("datetime", 7), "datetime.date": pyDatetime("date", 3), "datetime.timedelta": pyTimedelta, "time.time": pyTime,
	"re.search": reFunc("search", 1, reFind(anywhere)), "re.match": reFunc("match", 1, reFind(atStart)), "re.fullmatch": reFunc("fullmatch", 1, reFind(whole1)), "re.sub": reFunc("sub", 2, reSub),
	"re.findall": reFunc("findall", 1, reFindall), "re.split": reFunc("split", 1, reSplit), "re.compile": reCompile,
	"json.loads": jsonLoads, "json.dumps": jsonDumps, "hashlib.md5": pyHash("md5"), "hashlib.sha1": pyHash("sha1"), "hashlib.sha256": pyHash("sha256"),
	"datetime.datetime.now": pyNow("datetime.now"), "datetime.datetime.today": pyNow("datetime.today"), "datetime.datetime.utcnow": pyUTCNow("datetime.utcnow", false), "datetime.date.today": pyToday,
	"datetime.datetime.strptime": pyStrptime, "datetime.datetime.fromisoformat": pyFromISO("datetime.fromisoformat"), "datetime.date.fromisoformat": pyFromISO("date.fromisoformat"),
	"datetime.datetime.fromtimestamp": pyFromTimestamp("datetime.fromtimestamp"), "datetime.datetime.utcfromtimestamp": pyFromTimestamp("datetime.utcfromtimestamp"),
	"pandas.Timedelta": pdTimedelta, "numpy.timedelta64": npTimedelta,

	"math.log": mathLog, "math.log10": mathFunc("math.log10", log10, func(x float64) bool { return x > 0 }), "math.log2": mathFunc("math.log2", log2, func(x float64) bool { return x > 0 }),
	"math.log1p": mathFunc("math.log1p", log1p, func(x float64) bool { return x > -1 }), "math.sqrt": mathFunc("math.sqrt", math.Sqrt, func(x float64) bool { return x >= 0 }),
	"math.exp": mathFunc("math.exp", exp, nil), "math.expm1": mathFunc("math.expm1", expm1, nil), "math.sin": mathFunc("math.sin", math.Sin, finite), "math.cos": mathFunc("math.cos", math.Cos, finite),
	"math.tan": mathFunc("math.tan", math.Tan, finite), "math.atan": mathFunc("math.atan", math.Atan, nil), "math.tanh": mathFunc("math.tanh", math.Tanh, nil),
	"math.asin": mathFunc("math.asin", math.Asin, func(x float64) bool { return x >= -1 && x <= 1 }), "math.acos": mathFunc("math.acos", math.Acos, func(x float64) bool { return x >= -1 && x <= 1 }),
	"math.radians": mathFunc("math.radians", func(f float64) float64 { return f * (math.Pi / 180) }, nil), "math.degrees": mathFunc("math.degrees", func(f float64) float64 { return f * (180 / math.Pi) }, nil),
	"math.fabs": mathFunc("math.fabs", math.Abs, nil), "math.floor": mathWhole("math.floor", math.Floor), "math.ceil": mathWhole("math.ceil", math.Ceil), "math.trunc": mathWhole("math.trunc", math.Trunc),
	"math.isnan": mathTest("math.isnan", math.IsNaN), "math.isinf": mathTest("math.isinf", func(f float64) bool { return math.IsInf(f, 0) }), "math.isfinite": mathTest("math.isfinite", finite), "math.pow": mathPow,
	"math.atan2": mathFunc2("math.atan2", math.Atan2), "math.hypot": mathFunc2("math.hypot", math.Hypot), "math.fmod": mathFunc2("math.fmod", math.Mod), "math.copysign": mathFunc2("math.copysign", math.Copysign),
}

// moduleValues are the constants and types of modules.
var moduleValues = map[string]val{
	"numpy.nan": floatVal(math.NaN()), "numpy.inf": floatVal(math.Inf(1)), "numpy.pi": floatVal(math.Pi), "numpy.e": floatVal(math.E),
	"math.nan": floatVal(math.NaN()), "math.inf": floatVal(math.Inf(1)), "math.pi": floatVal(math.Pi), "math.e": floatVal(math.E),
	"numpy.float64": {k: kDType, w: dFloat64}, "numpy.float32": {k: kDType, w: dFloat32}, "numpy.int64": {k: kDType, w: dInt64}, "numpy.int32": {k: kDType, w: dInt32},
	"numpy.int16": {k: kDType, w: dInt16}, "numpy.int8": {k: kDType, w: dInt8}, "numpy.bool_": {k: kDType, w: dBool}, "pandas.NaT": {k: kNaT}, "pandas.NA": {k: kNA}, "re.IGNORECASE": {k: kNative, ref: &native{"re.IGNORECASE", notCalled}}, "re.I": {k: kNative, ref: &native{"re.IGNORECASE", notCalled}}, "datetime.timezone.utc": {k: kNative, ref: &native{utcName, notCalled}}, "datetime.UTC": {k: kNative, ref: &native{utcName, notCalled}},
}

var columnMethods = map[string]method{
	"astype": columnAstype, "fillna": columnFillna, "isna": columnIsna(true), "isnull": columnIsna(true), "notna": columnIsna(false), "notnull": columnIsna(false),
	"where": columnWhere(true), "mask": columnWhere(false), "clip": columnClip, "round": columnRound, "abs": columnAbs, "isin": columnIsin, "between": columnBetween,
	"map": columnMap, "apply": columnMap, "copy": columnCopy, "to_numpy": columnArray, "tolist": columnList, "to_list": columnList, "replace": columnReplace, "rename": columnRename, "shift": columnShift, "diff": columnDiff,
	"add": columnOperator("+", false), "sub": columnOperator("-", false), "subtract": columnOperator("-", false), "mul": columnOperator("*", false), "multiply": columnOperator("*", false),
	"div": columnOperator("/", false), "divide": columnOperator("/", false), "truediv": columnOperator("/", false), "floordiv": columnOperator("//", false), "mod": columnOperator("%", false),
	"pow": columnOperator("**", false), "radd": columnOperator("+", true), "rsub": columnOperator("-", true), "rmul": columnOperator("*", true), "rdiv": columnOperator("/", true), "rtruediv": columnOperator("/", true),
	"eq": columnComparison("=="), "ne": columnComparison("!="), "lt": columnComparison("<"), "le": columnComparison("<="), "gt": columnComparison(">"), "ge": columnComparison(">="),
	"sum": reduction("sum"), "mean": reduction("mean"), "min": reduction("min"), "max": reduction("max"), "median": reduction("median"), "std": deviation("std"), "var": deviation("var"), "quantile": columnQuantile, "count": reduction("count"), "any": reduction("any"), "all": reduction("all"),
}

var frameMethods = map[string]method{
	"assign": frameAssign, "copy": frameCopy, "rename": frameRename, "drop": frameDrop, "fillna": frameFillna, "astype": frameAstype, "apply": frameApply, "get": frameGet, "iterrows": frameIterrows,
	"round": eachColumn(columnRound), "abs": eachColumn(columnAbs), "clip": eachColumn(columnClip), "isna": eachColumn(columnIsna(true)), "isnull": eachColumn(columnIsna(true)), "notna": eachColumn(columnIsna(false)),
	"sum": frameReduce("sum"), "mean": frameReduce("mean"), "min": frameReduce("min"), "max": frameReduce("max"), "median": frameReduce("median"), "std": frameReduce("std"), "var": frameReduce("var"), "any": frameReduce("any"), "all": frameReduce("all"),
}

// matchMethods and patternMethods are the methods of matches and compiled expressions.
var (
	matchMethods   = map[string]method{"group": matchGroup, "groups": matchGroups, "start": matchEnd("start", 0), "end": matchEnd("end", 1)}
	patternMethods = map[string]method{
		"search": reMethod("search", 1, reFind(anywhere)), "match": reMethod("match", 1, reFind(atStart)), "fullmatch": reMethod("fullmatch", 1, reFind(whole1)),
		"sub": reMethod("sub", 2, reSub), "findall": reMethod("findall", 1, reFindall), "split": reMethod("split", 1, reSplit),
	}
	bytesMethods = map[string]method{"hexdigest": hashHex}
)

// matrixMethods are the methods of arrays of two dimensions.
var matrixMethods = map[string]method{
	"sum": matrixReduce("sum"), "mean": matrixReduce("mean"), "min": matrixReduce("min"), "max": matrixReduce("max"), "std": matrixReduce("std"), "var": matrixReduce("var"),
}

var text2Methods = map[string]method{
	"len": text2Len, "contains": text2Contains, "startswith": text2Affix("startswith"), "endswith": text2Affix("endswith"), "replace": text2Replace, "get": text2Get, "slice": text2Slice, "split": text2Split,
	"lower": text2Method("lower"), "upper": text2Method("upper"), "title": text2Method("title"), "capitalize": text2Method("capitalize"), "swapcase": text2Method("swapcase"), "casefold": text2Method("casefold"),
	"strip": text2Method("strip"), "lstrip": text2Method("lstrip"), "rstrip": text2Method("rstrip"), "zfill": text2Method("zfill"), "ljust": text2Method("ljust"), "rjust": text2Method("rjust"),
	"find": text2Method("find"), "isdigit": text2Method("isdigit"), "isalpha": text2Method("isalpha"), "isalnum": text2Method("isalnum"), "isupper": text2Method("isupper"), "islower": text2Method("islower"),
	"match": text2Match("str.match()", atStart), "fullmatch": text2Match("str.fullmatch()", whole1), "extract": text2Extract, "count": text2Count, "findall": text2Findall,
	"isspace": text2Method("isspace"), "removeprefix": text2Method("removeprefix"), "removesuffix": text2Method("removesuffix"),
}

var timesMethods = map[string]method{
	"total_seconds": timesTotal, "normalize": timesNormalize, "tz_localize": timesZone("tz_localize"), "tz_convert": timesZone("tz_convert"), "strftime": timesStrftime, "day_name": timesName("day_name", "Monday"), "month_name": timesName("month_name", "January"),
	"floor": timesFloor("floor"), "ceil": timesFloor("ceil"), "round": timesFloor("round"),
}

var timesAttributes = map[string]func(*machine, *column) (val, error){
	"year": part(dInt32, dTime, timeParts("year")), "month": part(dInt32, dTime, timeParts("month")), "day": part(dInt32, dTime, timeParts("day")), "hour": part(dInt32, dTime, timeParts("hour")),
	"minute": part(dInt32, dTime, timeParts("minute")), "second": part(dInt32, dTime, timeParts("second")), "microsecond": part(dInt32, dTime, timeParts("microsecond")),
	"dayofweek": part(dInt32, dTime, timeParts("weekday")), "day_of_week": part(dInt32, dTime, timeParts("weekday")), "weekday": part(dInt32, dTime, timeParts("weekday")),
	"dayofyear": part(dInt32, dTime, timeParts("dayofyear")), "day_of_year": part(dInt32, dTime, timeParts("dayofyear")), "quarter": part(dInt32, dTime, timeParts("quarter")),
	"days_in_month": part(dInt32, dTime, timeParts("days_in_month")), "daysinmonth": part(dInt32, dTime, timeParts("days_in_month")),
	"is_month_start": timesTest(monthStart), "is_month_end": timesTest(monthEnd), "is_year_start": timesTest(yearStart), "is_year_end": timesTest(yearEnd), "is_leap_year": timesTest(leapYear),
	"days":    part(dInt64, dDelta, func(t int64) int64 { return floorDiv(t, dayMicros) }),
	"seconds": part(dInt32, dDelta, func(t int64) int64 { return floorMod(t, dayMicros) / 1_000_000 }),
}

var textMethods = map[string]method{
	"join": textJoin, "format": textFormat, "encode": textEncode, "lower": textMethod("lower"), "upper": textMethod("upper"), "title": textMethod("title"), "capitalize": textMethod("capitalize"), "swapcase": textMethod("swapcase"), "casefold": textMethod("casefold"),
	"strip": textMethod("strip"), "lstrip": textMethod("lstrip"), "rstrip": textMethod("rstrip"), "startswith": textMethod("startswith"), "endswith": textMethod("endswith"), "replace": textMethod("replace"),
	"count": textMethod("count"), "find": textMethod("find"), "rfind": textMethod("rfind"), "index": textMethod("index"), "zfill": textMethod("zfill"), "ljust": textMethod("ljust"), "rjust": textMethod("rjust"), "center": textMethod("center"),
	"split": textMethod("split"), "rsplit": textMethod("rsplit"), "partition": textMethod("partition"), "splitlines": textMethod("splitlines"), "isdigit": textMethod("isdigit"), "isalpha": textMethod("isalpha"),
	"isalnum": textMethod("isalnum"), "isupper": textMethod("isupper"), "islower": textMethod("islower"), "isspace": textMethod("isspace"), "removeprefix": textMethod("removeprefix"), "removesuffix": textMethod("removesuffix"),
}

var setMethods = map[string]method{
	"union": setMethod("|"), "intersection": setMethod("&"), "difference": setMethod("-"), "symmetric_difference": setMethod("^"),
	"issubset": setTest(false), "issuperset": setTest(true), "isdisjoint": setDisjoint,
}

var listMethods = map[string]method{"append": listAppend, "extend": listExtend, "count": listCount}

var dictMethods = map[string]method{"get": dictGet, "items": dictItems, "keys": dictKeys, "values": dictValues, "update": dictUpdate}

var timeMethods = map[string]method{"total_seconds": scalarTotal, "timestamp": scalarTimestamp, "weekday": scalarWeekday, "isoweekday": scalarISOWeekday, "date": timeDate, "replace": timeReplace, "strftime": scalarStrftime, "isoformat": scalarISO}

var numberMethods = map[string]method{"is_integer": isInteger, "item": numberItem, "astype": numberAstype}
