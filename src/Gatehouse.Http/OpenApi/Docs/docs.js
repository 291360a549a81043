'use strict';

// Tokens that are tried out stay in this page's memory: reloading forgets them.
SwaggerUIBundle({
  url: '/openapi/v1.json',
  dom_id: '#api',
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
