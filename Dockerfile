# One image for every process of the service; the command decides which one it is.
FROM python:3.11-slim AS build
WORKDIR /build
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY workflow_service workflow_service
COPY tasks tasks
COPY web web
COPY cli cli
COPY migrations migrations
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.11-slim
RUN useradd --system --create-home --uid 10001 workflow
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels agentic-workflow-service && rm -r /wheels
USER workflow
WORKDIR /home/workflow
EXPOSE 8080
CMD ["gunicorn", "--config", "python:web.gunicorn", "web.wsgi:app"]
