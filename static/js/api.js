// Shows the OpenAPI schema with Swagger UI or Redoc, whichever the page has loaded.
/* global SwaggerUIBundle, Redoc */

const swagger = document.getElementById("swagger");
const redoc = document.getElementById("redoc");

if (swagger) {
  SwaggerUIBundle({
    url: swagger.dataset.schema,
    domNode: swagger,
    deepLinking: true,
    requestInterceptor: (request) => {
      if (!request.loadSpec && new URL(request.url, location.href).origin === location.origin) {
        request.headers["X-CSRFToken"] = swagger.dataset.csrf; // of the session, when there is one
      }
      return request;
    },
  });
}

if (redoc) {
  leaveOutForeignPictures();
  Redoc.init(redoc.dataset.schema, { disableSearch: true }, redoc);
}

// Redoc asks another host for a logo; the policy would refuse it with an error.
function leaveOutForeignPictures() {
  const isOurs = (url) => new URL(url, location.href).origin === location.origin;
  const pictures = HTMLImageElement.prototype;
  const { setAttribute } = pictures;
  const src = Object.getOwnPropertyDescriptor(pictures, "src");
  pictures.setAttribute = function (name, value) {
    if (name !== "src" || isOurs(value)) setAttribute.call(this, name, value);
  };
  Object.defineProperty(pictures, "src", {
    ...src,
    set(value) {
      if (isOurs(value)) src.set.call(this, value);
    },
  });
}
