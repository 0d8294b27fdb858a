"""Libraries and the photos in them."""

from photos.models.album import Album as Album
from photos.models.album import AlbumPhoto as AlbumPhoto
from photos.models.edit import EditedPhoto as EditedPhoto
from photos.models.edit import PhotoEdit as PhotoEdit
from photos.models.library import Library as Library
from photos.models.library import Membership as Membership
from photos.models.look_alike import LookAlike as LookAlike
from photos.models.photo import Photo as Photo
from photos.models.stack import Stack as Stack
from photos.models.step import PhotoStep as PhotoStep
from photos.models.tag import Sidecar as Sidecar
from photos.models.tag import Tag as Tag
from photos.models.upload import LegacyFile as LegacyFile
from photos.models.upload import ResumableUpload as ResumableUpload
