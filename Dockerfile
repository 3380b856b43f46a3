# One image for every process of the service; the command decides which one it is.
FROM python:3.11-slim AS build
WORKDIR /build
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY workflow_service workflow_service
COPY tasks tasks
COPY web web
COPY inbound inbound
COPY cli cli
COPY migrations migrations
RUN python -m venv /opt/workflow && /opt/workflow/bin/pip install --no-cache-dir .

FROM python:3.11-slim
ENV PATH=/opt/workflow/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --create-home --uid 10001 workflow
COPY --from=build /opt/workflow /opt/workflow
USER 10001:10001
WORKDIR /home/workflow
EXPOSE 8080
# of the API, by the port that it was told; the other processes say in docker-compose.yml how they are asked
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 CMD ["python", "-m", "web.healthcheck"]
CMD ["gunicorn", "--config", "python:web.gunicorn", "web.wsgi:app"]
