"""The REST API of libraries and their members."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos import members
from photos.api.errors import Conflict, validated
from photos.api.fields import Body, EmailField, TextField
from photos.models import Library, Membership
from photos.permissions import IsNamed


class LibraryBody(Body):
    name = TextField(max_length=100)


class LibraryObject(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Membership.Role.values, help_text="What the caller may do in it.")
    photo_count = serializers.IntegerField()
    member_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class LibraryList(serializers.Serializer[Any]):
    libraries = LibraryObject(many=True)


class NewMember(Body):
    email = EmailField(max_length=254)
    role = serializers.ChoiceField(choices=Membership.Role.values)


class MemberRoleBody(Body):
    role = serializers.ChoiceField(choices=Membership.Role.values)


class MemberObject(serializers.Serializer[Any]):
    user_id = serializers.IntegerField()
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=Membership.Role.values)


class MemberList(serializers.Serializer[Any]):
    members = MemberObject(many=True)


@extend_schema(
    methods=["GET"], operation_id="libraries_list", summary="List libraries", responses=LibraryList
)
@extend_schema(
    methods=["POST"], summary="Make a library", request=LibraryBody, responses={201: LibraryObject}
)
@api_view(["GET", "HEAD", "POST"])
async def library_list(request: Request) -> Response:
    """GET: those one is a member of. POST: a new one of one's own."""
    if request.method == "POST":
        name = validated(LibraryBody, request.data)["name"]
        return await sync_to_async(make_library)(request.user, name)
    return await sync_to_async(list_libraries)(request.user)


def list_libraries(user: Any) -> Response:
    rows = members.with_facts(Library.objects.visible_to(user), user).order_by("pk")
    return Response({"libraries": [library_json(library) for library in rows]})


def library_json(library: Any) -> dict[str, Any]:
    names = ("id", "name", "role", "photo_count", "member_count", "created_at")
    return {name: getattr(library, name) for name in names}


def make_library(user: Any, name: str) -> Response:
    library = members.create_library(name=name, owner=user)
    return Response(one_library(user, library.pk), status=201)


def one_library(user: Any, library_id: int) -> dict[str, Any]:
    visible = Library.objects.visible_to(user).filter(pk=library_id)
    library = members.with_facts(visible, user).first()
    if library is None:
        raise library_not_found()
    return library_json(library)


def library_not_found() -> NotFound:
    return NotFound("There is no such library.", code="library_not_found")


def owned_library(user: Any, library_id: int) -> Library:
    """The library, or 404 also for one that the user does not own."""
    library: Library | None = Library.objects.owned_by(user).filter(pk=library_id).first()
    if library is None:
        raise library_not_found()
    return library


@extend_schema(methods=["GET"], summary="One library", responses=LibraryObject)
@extend_schema(methods=["PATCH"], summary="Rename a library", request=LibraryBody, responses=LibraryObject)
@extend_schema(
    methods=["DELETE"], summary="Delete an empty library", request=None, responses={204: None, 409: None}
)
@api_view(["GET", "HEAD", "PATCH", "DELETE"])
async def library_detail(request: Request, library_id: int) -> Response:
    """GET for members. PATCH and DELETE for owners; one with photos, trash included, is not deleted (409)."""
    if request.method == "PATCH":
        name = validated(LibraryBody, request.data)["name"]
        return Response(await sync_to_async(rename)(request.user, library_id, name))
    if request.method == "DELETE":
        await sync_to_async(delete)(request.user, library_id)
        return Response(status=204)
    return Response(await sync_to_async(one_library)(request.user, library_id))


def rename(user: Any, library_id: int, name: str) -> dict[str, Any]:
    library = owned_library(user, library_id)
    library.name = name
    library.save(update_fields=["name"])
    return one_library(user, library_id)


def delete(user: Any, library_id: int) -> None:
    try:
        members.delete_library(owned_library(user, library_id))
    except members.LibraryInUse as error:
        raise Conflict(str(error), code="library_in_use") from None


@extend_schema(methods=["GET"], summary="Members of a library", responses=MemberList)
@extend_schema(
    methods=["POST"], summary="Let somebody in", request=NewMember, responses={201: MemberObject, 409: None}
)
@api_view(["GET", "HEAD", "POST"])
async def member_list(request: Request, library_id: int) -> Response:
    """GET for members. POST for owners: somebody with an account; who is in gets the other role."""
    if request.method == "POST":
        IsNamed.demand(request)
        return await sync_to_async(let_in)(request.user, library_id, validated(NewMember, request.data))
    return await sync_to_async(list_members)(request.user, library_id)


def list_members(user: Any, library_id: int) -> Response:
    if not Library.objects.visible_to(user).filter(pk=library_id).exists():
        raise library_not_found()
    rows = Membership.objects.filter(library_id=library_id).select_related("user").order_by("pk")
    return Response({"members": [member_json(member) for member in rows]})


def member_json(member: Membership) -> dict[str, Any]:
    return {"user_id": member.user_id, "email": member.user.email, "role": member.role}


def let_in(user: Any, library_id: int, body: dict[str, Any]) -> Response:
    library = owned_library(user, library_id)
    try:
        member = members.add_member(library, email=body["email"], role=body["role"])
    except members.UnknownUser as error:
        raise NotFound(str(error), code="user_not_found") from None
    except members.LastOwner as error:
        raise last_owner(error) from None
    return Response(member_json(member), status=201)


def last_owner(error: members.LastOwner) -> Conflict:
    return Conflict(str(error), code="last_owner")


@extend_schema(
    methods=["PATCH"],
    summary="Change a role",
    request=MemberRoleBody,
    responses={200: MemberObject, 409: None},
)
@extend_schema(methods=["DELETE"], summary="Remove a member", request=None, responses={204: None, 409: None})
@api_view(["PATCH", "DELETE"])
async def member_detail(request: Request, library_id: int, user_id: int) -> Response:
    """For owners; a member may also leave. The last owner stays (409)."""
    IsNamed.demand(request)
    if request.method == "PATCH":
        role = validated(MemberRoleBody, request.data)["role"]
        return Response(await sync_to_async(change_role)(request.user, library_id, user_id, role))
    await sync_to_async(remove)(request.user, library_id, user_id)
    return Response(status=204)


def change_role(user: Any, library_id: int, user_id: int, role: str) -> dict[str, Any]:
    member = member_of(owned_library(user, library_id), user_id)
    try:
        return member_json(members.set_role(member, role))
    except members.LastOwner as error:
        raise last_owner(error) from None


def remove(user: Any, library_id: int, user_id: int) -> None:
    if user.pk == user_id:
        library = Library.objects.visible_to(user).filter(pk=library_id).first()
        if library is None:
            raise library_not_found()
    else:
        library = owned_library(user, library_id)
    try:
        members.remove_member(member_of(library, user_id))
    except members.LastOwner as error:
        raise last_owner(error) from None


def member_of(library: Library, user_id: int) -> Membership:
    rows = Membership.objects.select_related("library", "user")
    member = rows.filter(library=library, user_id=user_id).first()
    if member is None:
        raise NotFound("There is no such member.", code="member_not_found")
    return member
