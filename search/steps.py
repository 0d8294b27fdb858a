"""The steps of this app: the embedding of a photo, and the tags that follow from it."""

from collections.abc import Mapping, Sequence

from jobs.steps import Step, StepResult
from photos.models import Photo
from search import auto_tags, services, tagging

BATCH_SIZE = 16


def embed_photos(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """Embed the thumbnails of a batch; without an encoder they are skipped with what to do."""
    choice = services.encoder_choice()
    if not choice.is_available:
        return dict.fromkeys(photo_ids, StepResult.skipped(choice.reason))
    try:
        encoder, choice = services.load_encoder(choice)
    except services.SearchUnavailable as error:
        return dict.fromkeys(photo_ids, StepResult.skipped(str(error)))
    photos = list(Photo.objects.filter(pk__in=photo_ids))
    vectors = encoder.embed_images(services.read_thumbnails(photos))
    services.save_embeddings(photos, vectors, choice)
    return {photo.pk: StepResult.done() for photo in photos}


EMBEDDING = Step(
    name="embedding",
    title="Embedding for search",
    run=embed_photos,
    version=lambda: services.encoder_choice().version,
    after="renditions",
    cluster="ml",
    batch_size=BATCH_SIZE,
)


def tag_photos(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """Tags by the embeddings of a batch; without an encoder they are skipped with what to do."""
    choice = services.encoder_choice()
    if not choice.is_available:
        return dict.fromkeys(photo_ids, StepResult.skipped(choice.reason))
    try:
        tagged = auto_tags.tag_photos(photo_ids, choice)
    except services.SearchUnavailable as error:
        return dict.fromkeys(photo_ids, StepResult.skipped(str(error)))
    unknown = StepResult.skipped("It has no embedding by the encoder in use.")
    return {pk: StepResult.done() if pk in tagged else unknown for pk in photo_ids}


TAGS = Step(
    name="tags",
    title="Tags",
    run=tag_photos,
    version=lambda: f"{services.encoder_choice().version}+{tagging.VOCABULARY_VERSION}",
    after="embedding",
    cluster="ml",
    batch_size=256,
)
