"""All settings, read once from the environment. `docs/settings.md` lists them for people."""

from pathlib import Path
from typing import Any

from chitra import __version__, database, secret_key
from chitra.env import env_bool, env_int, env_list, env_paths, env_secret, env_str, env_tiles, env_url

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env_str("CHITRA_DATA_DIR") or BASE_DIR / "var").absolute()
STATE_DIR = DATA_DIR / "state"

DEBUG = env_bool("CHITRA_DEBUG")
SECRET_KEY = env_secret("CHITRA_SECRET_KEY") or secret_key.load_or_create(STATE_DIR / "secret_key")
ALLOWED_HOSTS = env_list("CHITRA_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CHITRA_TRUSTED_ORIGINS")

# Behind a proxy that ends TLS, CHITRA_HTTPS=true makes cookies secure and believes X-Forwarded-Proto.
# Risk: without such a proxy a client could send that header itself.
HTTPS = env_bool("CHITRA_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 30 * 24 * 3600

INSTALLED_APPS = [
    "daphne",
    "chitra.apps.ChitraAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "adrf",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_q",
    "chitra",
    "chitra.accounts",
    "chitra.legacy",
    "jobs",
    "photos",
    "faces",
    "search",
    "chitra.sources",
]

# Django's own, but without a thread for each hook (docs/decisions/middleware.md).
MIDDLEWARE = [
    "chitra.request_ids.request_ids",
    "chitra.json_answers.json_answers",
    "chitra.middleware.SecurityMiddleware",
    "chitra.content_security_policy.content_security_policy",
    "chitra.middleware.CorsMiddleware",
    "chitra.query_text.utf8_queries",
    "servestatic.middleware.ServeStaticMiddleware",
    "chitra.middleware.SessionMiddleware",
    "chitra.middleware.CommonMiddleware",
    "chitra.middleware.CsrfViewMiddleware",
    "chitra.middleware.AuthenticationMiddleware",
    "chitra.middleware.MessageMiddleware",
    "chitra.middleware.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "chitra.urls"
ASGI_APPLICATION = "chitra.asgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "timeline"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "chitra.accounts.hashers.LegacyBcryptHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chitra.context_processors.chitra",
            ],
        },
    },
]

# The worker forks, and a forked connection pool loses tasks, so only the web process asks for one
# (docs/decisions/connection-pool.md).
DATABASES = {
    "default": database.parse(
        env_secret("CHITRA_DATABASE_URL", "postgresql://localhost/chitra"),
        password=env_secret("CHITRA_DATABASE_PASSWORD"),
        pool_size=env_int("CHITRA_DATABASE_POOL", 0, maximum=100),
    )
}

LANGUAGE_CODE = "en"
TIME_ZONE = env_str("CHITRA_TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The finders serve what lies in the packages, so nothing has to be collected first.
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG

MEDIA_DIR = DATA_DIR / "media"
STORAGE = env_str("CHITRA_STORAGE", "filesystem", choices=("filesystem", "s3"))
S3_SCHEME = "https://" if env_bool("MINIO_SECURE") else "http://"
S3_OPTIONS: dict[str, Any] = {
    "access_key": env_secret("MINIO_ACCESS_KEY"),
    "secret_key": env_secret("MINIO_SECRET_KEY"),
    "bucket_name": env_str("MINIO_BUCKET", "chitra-photos"),
    "endpoint_url": env_url("MINIO_ENDPOINT", "localhost:9000", scheme=S3_SCHEME),
    # Where browsers find the same server, for presigned URLs; pages are redirected there only when it is set.
    "public_endpoint_url": env_url("MINIO_PUBLIC_ENDPOINT", scheme=S3_SCHEME),
    "region_name": env_str("MINIO_REGION", "us-east-1"),
    "addressing_style": env_str("MINIO_ADDRESSING", "path", choices=("path", "virtual", "auto")),
    "connect_timeout": env_int("MINIO_CONNECT_SECONDS", 5, minimum=1, maximum=300),
    "read_timeout": env_int("MINIO_READ_SECONDS", 30, minimum=1, maximum=3600),
    "attempts": env_int("MINIO_ATTEMPTS", 4, minimum=1, maximum=20),
}
# Both, because migrate_storage copies from the one that is in use to the other.
STORAGE_KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "s3": {
        name: {"BACKEND": "photos.storages.s3.ObjectStorage", "OPTIONS": {**S3_OPTIONS, "location": name}}
        for name in ("originals", "renditions")
    },
    "filesystem": {
        "originals": {
            "BACKEND": "photos.storages.files.DurableFileSystemStorage",
            "OPTIONS": {"location": MEDIA_DIR / "originals"},
        },
        "renditions": {
            "BACKEND": "photos.storages.files.DurableFileSystemStorage",
            "OPTIONS": {"location": MEDIA_DIR / "renditions", "fsync": False},
        },
    },
}
ORIGINALS = STORAGE_KINDS[STORAGE]["originals"]
RENDITIONS = STORAGE_KINDS[STORAGE]["renditions"]
MEDIA_ORIGIN = S3_OPTIONS["public_endpoint_url"] if STORAGE == "s3" else ""  # beside this one
LEGACY_FTP_HOST = env_str("CHITRA_LEGACY_FTP_HOST")
LEGACY_FTP = env_bool("CHITRA_LEGACY_FTP", bool(LEGACY_FTP_HOST))
if LEGACY_FTP:
    ORIGINALS = {
        "BACKEND": "photos.storages.read_through.ReadThroughStorage",
        "OPTIONS": {
            "primary": ORIGINALS,
            "host": LEGACY_FTP_HOST,
            "port": env_int("CHITRA_LEGACY_FTP_PORT", 21, minimum=1, maximum=65535),
            "user": env_str("CHITRA_LEGACY_FTP_USER", "ftpstorage"),
            "password": env_secret("CHITRA_LEGACY_FTP_PASS"),
            "base": env_str("CHITRA_LEGACY_FTP_BASE"),
            "use_tls": env_bool("CHITRA_LEGACY_FTP_TLS"),
        },
    }
STORAGES = {
    "default": RENDITIONS,
    # What is indexed in place stays in its folder.
    "originals": {"BACKEND": "photos.storages.folders.OriginalsStorage", "OPTIONS": {"primary": ORIGINALS}},
    "renditions": RENDITIONS,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Django spools request bodies itself; the limits below are Chitra's own and are checked while streaming.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 1000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR = env_str("CHITRA_TEMP_DIR") or None

# After each upload the object is read again and hashed: the time of a download, for a store that cannot be
# trusted.
VERIFY_READ_BACK = env_bool("CHITRA_VERIFY_READ_BACK")
# A proxy in front sends the files itself. Risk: its internal location must not be open to the world.
ACCEL = env_str("CHITRA_ACCEL", "", choices=("", "nginx", "sendfile"))
ACCEL_PREFIX = env_str("CHITRA_ACCEL_PREFIX", "/protected-media/")
PRESIGNED_SECONDS = env_int("CHITRA_PRESIGNED_SECONDS", 300, minimum=10, maximum=86400)
# Who knows which object belongs to which photo; `photos.checks` resolves the names at start.
MEDIA_KEYS = ["photos.media_keys.PHOTO_KEYS", "faces.media_keys.FACE_KEYS"]
TUS_EXPIRY_HOURS = env_int("CHITRA_UPLOAD_EXPIRY_HOURS", 48, minimum=1, maximum=24 * 30)
MAX_UPLOAD_BYTES = env_int("CHITRA_MAX_UPLOAD_MB", 5 * 1024, minimum=1) * 1024 * 1024
MAX_PIXELS = env_int("CHITRA_MAX_MEGAPIXELS", 300, minimum=1) * 1_000_000
# Decoders run in a child process with these limits (docs/decisions/isolated-decoding.md).
DECODE_SECONDS = env_int("CHITRA_DECODE_SECONDS", 120, minimum=1, maximum=500)
DECODE_MEMORY_BYTES = env_int("CHITRA_DECODE_MEMORY_MB", 4096, minimum=256) * 1024 * 1024
PLAYBACK_SECONDS = env_int("CHITRA_PLAYBACK_MINUTES", 240, minimum=1, maximum=24 * 60) * 60
SCAN_ROOTS = env_paths("CHITRA_SCAN_ROOTS")
# Risk: the server of the tiles learns which parts of the map somebody looks at.
MAP_TILES = env_tiles("CHITRA_MAP_TILES")
MAP_ATTRIBUTION = env_str("CHITRA_MAP_ATTRIBUTION")

# What each photo goes through, in the manner of MIDDLEWARE; `jobs.checks` resolves the names at start.
LEDGER_MODEL = "photos.PhotoStep"
LEDGER_LEASE_SECONDS = 60  # how long a silent worker keeps its photos; a working one renews in time
LEDGER_LIBRARIES = "photos.services.libraries_of_photos"
EVENT_USER = "chitra.accounts.live.user_of_scope"
EVENT_LIBRARIES = "photos.services.library_ids_of"
EDITABLE_LIBRARIES = "photos.services.editable_library_ids"
PHOTO_STEPS = [
    "photos.steps.METADATA",
    "photos.steps.RENDITIONS",
    "photos.steps.NEIGHBOURS",
    "photos.steps.PLAYBACK",
    "search.steps.EMBEDDING",
    "search.steps.TAGS",
    "faces.steps.FACES",
    "faces.steps.NAMES",
    "search.text_steps.READ_TEXT",
]

TRASH_DAYS = env_int("CHITRA_TRASH_DAYS", 30, maximum=36500)
MINUTE_TASKS = ["chitra.sources.tasks.scan_due_folders"]
DAILY_TASKS = [
    "photos.trash.empty_trash",
    "search.services.forget_old_queries",
    "jobs.rate_limits.forget_windows",
]

MODEL_DIR = Path(path) if (path := env_str("CHITRA_MODEL_DIR")) else None
ENCODER = env_str("CHITRA_ENCODER", "auto", choices=("auto", "open_clip", "offline"))
CLIP_MODEL = env_str("CHITRA_CLIP_MODEL", "ViT-B-32")
CLIP_PRETRAINED = env_str("CHITRA_CLIP_PRETRAINED", "laion2b_s34b_b79k")
FACE_PACK = env_str(
    "CHITRA_FACE_PACK",
    "auto",
    choices=("auto", "buffalo_l", "buffalo_s", "buffalo_sc", "antelopev2", "opencv", "custom"),
)
# The two networks of the pack “custom”.
FACE_DETECTOR = Path(path) if (path := env_str("CHITRA_FACE_DETECTOR")) else None
FACE_RECOGNIZER = Path(path) if (path := env_str("CHITRA_FACE_RECOGNIZER")) else None
FACE_DIMENSIONS = env_int("CHITRA_FACE_DIMENSIONS", 512, minimum=16, maximum=4000)
FACE_MATCH_PERCENT = env_int("CHITRA_FACE_MATCH_PERCENT", 42, minimum=1, maximum=99)
OCR = env_bool("CHITRA_OCR", True)
ML_THREADS = env_int("CHITRA_ML_THREADS", 2, minimum=1, maximum=64)

# `retry` must outlast `timeout`, or a task still running is handed out again. Drains stop after a slice, far
# below `timeout`, which only ends a worker that hangs; the ledger's lease then frees its rows.
Q_TIMEOUT_SECONDS = 600
Q_EVERY_CLUSTER = {
    "timeout": Q_TIMEOUT_SECONDS,
    "retry": Q_TIMEOUT_SECONDS + 120,
    "max_attempts": 3,
    "ack_failures": True,
    "recycle": 5000,
    "poll": 0.5,
    "bulk": 1,
}
Q_CLUSTER = {
    **Q_EVERY_CLUSTER,
    "name": "default",
    "orm": "default",
    "workers": env_int("CHITRA_WORKERS", 2, minimum=1, maximum=64),
    "queue_limit": 4,
    "save_limit": 250,
    "catch_up": False,
    "label": "Queue",
    "ALT_CLUSTERS": {
        "ml": {
            **Q_EVERY_CLUSTER,
            "workers": env_int("CHITRA_ML_WORKERS", 1, minimum=1, maximum=16),
            "queue_limit": 2,
        },
        # A film is converted in one go, which takes about as long as it plays.
        "video": {
            **Q_EVERY_CLUSTER,
            "workers": 1,
            "timeout": PLAYBACK_SECONDS + 120,
            "retry": PLAYBACK_SECONDS + 240,
            "poll": 1,
            "queue_limit": 1,
        },
    },
}

REDIS_URL = env_secret("CHITRA_REDIS_URL")
REDIS_CONNECT_SECONDS = 2  # progress that comes late is of no use, and jobs must not wait for it
# The layer waits 5 s for a message; redis-py gives up after as long, which would cut off each quiet page.
REDIS_OPTIONS = {"socket_connect_timeout": REDIS_CONNECT_SECONDS, "socket_timeout": 15}
CHANNEL_LAYERS: dict[str, Any] = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, **REDIS_OPTIONS}]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "chitra.accounts.authentication.ApiKeyAuthentication",
        "chitra.accounts.authentication.TokenAuthentication",
        "chitra.accounts.authentication.SessionAuthentication",
        "chitra.accounts.authentication.OpenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chitra.rest.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chitra.rest.AnyAccept",
    "DEFAULT_SCHEMA_CLASS": "chitra.openapi.ApiSchema",
    "EXCEPTION_HANDLER": "chitra.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
}

# A minute: log in, registration and setup per address, the others per account. 0 is no limit.
RATE_LIMITS = {
    "login": env_int("CHITRA_LOGINS_PER_MINUTE", 10, maximum=1_000_000),
    "upload": env_int("CHITRA_UPLOADS_PER_MINUTE", 3000, maximum=1_000_000),
    "search": env_int("CHITRA_SEARCHES_PER_MINUTE", 600, maximum=1_000_000),
}
# How many proxies in front name the address of who asks, in X-Forwarded-For. Risk: with more than there are,
# clients choose the address they are counted by.
PROXIES = env_int("CHITRA_PROXIES", 1 if HTTPS else 0, maximum=10)

# For old clients on a trusted network that send no key: they act as this user, from any origin.
# Risk: everybody who reaches the port sees and changes that user's photos.
LEGACY_OPEN_API = env_str("CHITRA_LEGACY_OPEN_API")

# Which pages on other hosts may call the API with a key or token. Cookies are never sent along.
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_ALL_ORIGINS = bool(LEGACY_OPEN_API)
CORS_ALLOWED_ORIGINS = env_list("CHITRA_CORS_ORIGINS")
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type", "if-none-match", "if-range", "range", "x-api-key"),
    *("tus-resumable", "upload-checksum", "upload-length", "upload-metadata", "upload-offset"),
    *(["*"] if LEGACY_OPEN_API else []),  # whatever old pages send; it does not stand for “authorization”
]
CORS_EXPOSE_HEADERS = [
    *("allow", "content-length", "content-range", "content-disposition", "etag", "retry-after", "location"),
    "x-request-id",
    *("tus-resumable", "tus-version", "tus-extension", "tus-checksum-algorithm", "tus-max-size"),
    *("upload-offset", "upload-length", "upload-expires", "chitra-photo-id", "chitra-duplicate"),
]
CORS_PREFLIGHT_MAX_AGE = 600

SPECTACULAR_SETTINGS = {
    "TITLE": "Chitra",
    "VERSION": __version__,
    "DESCRIPTION": "Photos, faces, people and search, in the words of the API that old clients know.\n\n"
    "Not described here: resumable uploads at `/api/uploads`. They speak [tus 1.0](https://tus.io), whose "
    "requests and answers are headers and bare bytes; use a tus client, with the same key.",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "integer", "minimum": 0}},
    "ENUM_NAME_OVERRIDES": {
        "PartStatusEnum": ["ok", "error"],
        "MemberRole": ["owner", "editor", "viewer"],
        "AccountRole": ["user", "admin"],
        "StackKind": "photos.models.stack.Stack.Kind",
        "KindEnum": ["gps", "neighbours", "name", "unset"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "chitra.openapi.add_errors",
        "chitra.openapi_examples.add_examples",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "chitra.request_ids.RequestIdFilter"}},
    "formatters": {"short": {"format": "{levelname:<7} {name}:{request} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "short", "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": env_str("CHITRA_LOG_LEVEL", "INFO").upper()},
    # libvips warns of every oddity of a file; what matters ends as the reason of a failed step.
    "loggers": {
        "daphne": {"level": "WARNING"},
        "django-q": {"level": "WARNING"},
        "pyvips": {"level": "ERROR"},
        "watchfiles": {"level": "WARNING"},
    },
}
