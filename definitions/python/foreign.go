package python

import (
	"fmt"
	"slices"
	"strings"
)

// Trust says how an Unknown can affect definitions.
type Trust uint8

const (
	// Untrusted may be or make a definition: it is refused as soon as a module binds
	// it to a name, or anything calls it.
	Untrusted Trust = iota
	// Inert is not a definition itself, but calling it may make one: names of Feast's
	// own modules that the host does not provide.
	Inert
	// Harmless belongs to a module that is known to make no definitions. It may be
	// called, as long as it is not given anything that makes them.
	Harmless
)

// Unknown is a value that only running Python can tell, and why.
type Unknown struct {
	Why    string
	Trust  Trust
	module string // its outside module, if any
}

// maxWhy bounds the length of the chain of names in an Unknown, in bytes.
const maxWhy = 80

// but makes an Unknown of the same origin.
func (u *Unknown) but(format string, args ...any) *Unknown {
	if len(u.Why) > maxWhy {
		return u
	}
	return &Unknown{Why: fmt.Sprintf(format, args...), Trust: u.Trust, module: u.module}
}

// Modules that are known to make no definitions, by their first names.
const (
	// StandardLibrary are modules of Python. Not included are modules that run
	// functions or texts passed to them, return stored values, or change their
	// arguments.
	StandardLibrary = "__future__ abc argparse array ast base64 binascii bz2 calendar cmath codecs collections colorsys configparser contextlib copy csv " +
		"dataclasses datetime decimal difflib email enum errno faulthandler filecmp fnmatch fractions functools getopt getpass gettext " +
		"glob graphlib gzip hashlib hmac html http io ipaddress itertools json keyword linecache locale logging lzma math mimetypes " +
		"numbers operator os pathlib platform pprint pwd queue random re reprlib resource secrets shlex shutil smtplib socket sqlite3 ssl " +
		"stat statistics string struct subprocess sys sysconfig syslog tarfile tempfile textwrap time timeit token tokenize tomllib " +
		"traceback tracemalloc types typing unicodedata unittest urllib uuid warnings webbrowser xml xmlrpc zipfile zlib zoneinfo"
	// FeastNeeds are modules that are installed wherever Feast is.
	FeastNeeds = "attr attrs click colorama dask fastapi gunicorn jinja2 jwt mmh3 numpy pandas prometheus_client psutil pyarrow pydantic pygments " +
		"requests sqlalchemy starlette tabulate tenacity toml tqdm typeguard uvicorn yaml"
	// MayBeInstalled are other modules that feature repositories use.
	MayBeInstalled = "altair azure boto3 botocore bs4 catboost clickhouse_connect clickhouse_driver confluent_kafka cryptography cv2 databricks " +
		"datasets dateutil delta deltalake docling dotenv duckdb elasticsearch faiss faker flask fsspec gcsfs geopandas google gradio grpc " +
		"httpx huggingface_hub ibis kafka langchain lightgbm loguru lxml matplotlib minio mlflow nltk onnx onnxruntime openai openpyxl " +
		"optuna orjson pandera pika PIL plotly polars psycopg psycopg2 pyarrow_hotfix pymilvus pymongo pymysql pyodbc pyspark pytest pytz " +
		"qdrant_client redis rich s3fs scipy seaborn sentence_transformers sentry_sdk setuptools shap simplejson sklearn snowflake spacy " +
		"statsmodels streamlit structlog tensorflow tiktoken torch torchvision transformers trino typing_extensions tzlocal ujson urllib3 " +
		"wandb xgboost"
)

// otherModules are the rest of Python's own modules.
const otherModules = "antigravity asyncio asyncore asynchat atexit bdb bisect builtins cProfile cgi cgitb cmd code codeop compileall concurrent contextvars " +
	"copyreg crypt ctypes curses dbm dis distutils doctest encodings ensurepip fcntl fileinput ftplib gc genericpath grp heapq idlelib imaplib imghdr imp " +
	"importlib inspect lib2to3 mailbox mailcap marshal mmap modulefinder multiprocessing netrc nntplib ntpath opcode optparse pdb pickle pickletools pipes " +
	"pkgutil plistlib poplib posix posixpath profile pstats pty py_compile pyclbr pydoc pydoc_data pyexpat quopri readline rlcompleter runpy sched select " +
	"selectors shelve signal site smtpd sndhdr socketserver sre_compile sre_parse stringprep symtable tabnanny telnetlib termios test this threading " +
	"tkinter trace tty turtle turtledemo uu venv wave weakref wsgiref xdrlib zipapp zipimport"

// Hides reports whether Python may have another module of this name, which it
// would import instead of one in the repository.
func Hides(module string) bool { return DefinesNothing(module) || among(otherModules, module) }

// DefinesNothing reports whether a module outside of the repository is known to
// make no definitions.
func DefinesNothing(module string) bool { return among(MayBeInstalled, module) || installed(module) }

// installed reports whether a module is installed wherever Feast is.
func installed(module string) bool {
	return among(StandardLibrary, module) || among(FeastNeeds, module)
}

// among reports whether a list holds the first name of a module.
func among(list, module string) bool {
	top, _, _ := strings.Cut(module, ".")
	return strings.Contains(" "+list+" ", " "+top+" ")
}

// elsewhere is a module, or a name of one, that the reader does not have.
func elsewhere(module, name string) *Unknown {
	u := &Unknown{Why: module, module: module}
	if name != "" {
		u.Why += "." + name
	}
	if DefinesNothing(module) {
		u.Trust = Harmless
	}
	return u
}

// assign binds a name. A value that may be a definition must be known when a
// module binds it: Feast collects the names of modules.
func (r *Interpreter) assign(s *scope, name string, v any) error {
	if u, ok := v.(*Unknown); ok && u.Trust == Untrusted && s.reaches(name) {
		return fmt.Errorf("'%s' may be a definition: only running Python can tell what %s is; %s", name, u.Why, remedyOf(u))
	}
	v, err := r.member(s, name, v)
	if err == nil {
		s.set(name, v)
	}
	return err
}

// reaches reports whether binding a name here binds it in the module.
func (s *scope) reaches(name string) bool {
	return s.home(name) == s.top
}

// remedyOf returns the remedy for an Unknown.
func remedyOf(u *Unknown) string {
	if u.module != "" {
		return fmt.Sprintf("module '%s' is neither in the repository nor known to define nothing", u.module)
	}
	return "write it out"
}

// callUnknown is a call of an Unknown, or of a class derived from one: harmless if
// it cannot make or change definitions, otherwise refused.
func (r *Interpreter) callUnknown(u *Unknown, c *Call, class ...any) (any, error) {
	switch {
	case u.Trust == Harmless:
	case u.module != "" && !DefinesNothing(u.module):
		return nil, fmt.Errorf("%s() may make or change definitions and is not run; %s", u.Why, remedyOf(u))
	default:
		return nil, fmt.Errorf("%s() is not read; write its result out", u.Why)
	}
	for _, list := range [][]any{class, c.Args, c.Named} {
		for _, v := range list {
			if err := r.handedOut(u, v); err != nil {
				return nil, err
			}
		}
	}
	r.passed(c.scope, c.at, "%s() is not run", u.Why)
	r.doubt(u.Why + "() succeeds")
	if r.acted == "" && writesFiles(u.Why) {
		r.acted = u.Why + "()"
	}
	return u.but("%s()", u.Why), nil
}

// mixed is an unknown result of an operation on a definition: it may be that
// definition.
func (r *Interpreter) mixed(v any, from ...any) any {
	u, ok := v.(*Unknown)
	if !ok || u == nil || u.Trust != Harmless || !slices.ContainsFunc(from, r.makes) {
		return v
	}
	return &Unknown{Why: u.Why + ", into which a definition went", Trust: Untrusted}
}

// tellsOnly names functions whose result is never a definition, whatever their
// arguments.
func tellsOnly(name string) bool {
	return slices.Contains([]string{"isinstance", "issubclass", "hasattr", "callable", "len", "str", "repr", "format", "bool", "print", "type"}, name)
}

// HandOut refuses an argument of an ignored function that could use it to make or
// change a definition.
func (c *Call) HandOut(name string, v any) error {
	return c.run.handedOut(&Unknown{Why: name, Trust: Harmless}, v)
}

// handedOut refuses an argument of a call that is not run, if the call could use
// it to make or change a definition.
func (r *Interpreter) handedOut(u *Unknown, v any) error {
	makes, disturbs := r.makes(v), r.disturbs(v)
	if err := r.charge(1); err != nil {
		return err
	}
	switch {
	case makes:
		return fmt.Errorf("%s() is not run, and it has or is given what makes or holds definitions; write them without it", u.Why)
	case disturbs:
		return fmt.Errorf("%s() is not run, and it has or is given a function that changes values of the file; write it without", u.Why)
	}
	switch v.(type) {
	case *List, *Dict, *Set, *Iterator:
		if changesArguments(u.Why) {
			return fmt.Errorf("%s() is not run, and it changes the %s it is given; write the result out", u.Why, TypeName(v))
		}
	}
	return nil
}

// writesFiles reports whether a call may write files, judged by its name.
func writesFiles(name string) bool {
	top, _, _ := strings.Cut(name, ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch top {
	case "subprocess", "shutil":
		return true
	case "os":
		return strings.HasPrefix(last, "spawn") || strings.HasPrefix(last, "exec") || last == "system" || last == "popen" || last == "truncate"
	case "fsspec", "s3fs", "gcsfs":
		if last == "get" {
			return true
		}
	}
	switch last {
	case "to_csv", "to_parquet", "to_json", "to_pickle", "to_excel", "to_feather":
		return true
	}
	for _, verb := range []string{"write", "save", "dump", "download", "extract", "urlretrieve", "urlcleanup", "unpack", "sync", "fget_", "get_file", "rename", "remove", "unlink"} {
		if strings.Contains(last, verb) {
			return true
		}
	}
	return false
}

// changesArguments names the harmless functions that change their arguments.
func changesArguments(name string) bool {
	return name == "struct.pack_into" || strings.HasSuffix(name, ".shuffle") || strings.HasPrefix(name, "operator.i") || strings.HasPrefix(name, "operator.set") || strings.HasPrefix(name, "operator.del")
}
