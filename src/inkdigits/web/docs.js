// shows the server's own OpenAPI description; swagger-ui lies beside this file, nothing comes from elsewhere
SwaggerUIBundle({ url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
