# syntax=docker/dockerfile:1
# Image de production : bibliothèques verrouillées, fichiers statiques empreints, compte sans droits.

FROM python:3.11-slim-bookworm AS atelier
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements/prod.lock /tmp/prod.lock
RUN pip install --require-hashes -r /tmp/prod.lock
WORKDIR /app
COPY . .
# Réglages de base : ceux de production exigent une base et des secrets, que l'image n'a pas.
RUN python -m recouvrement.commun.catalogues locale \
 && DJANGO_SETTINGS_MODULE=recouvrement.settings.base STATIC_ROOT=/app/staticfiles RECOUVREMENT_VAR=/tmp/var \
    python manage.py collectstatic --noinput \
 && python -m compileall -q recouvrement clients factures relances contentieux


FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin recouvrement \
 && install -d -o recouvrement -g recouvrement -m 750 /data
COPY --from=atelier /opt/venv /opt/venv
COPY --from=atelier /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=recouvrement.settings.prod \
    RECOUVREMENT_VAR=/data \
    STATIC_ROOT=/app/staticfiles \
    XDG_CACHE_HOME=/tmp/cache
WORKDIR /app
USER 10001
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "recouvrement.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--threads", "4", "--timeout", "120", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--access-logfile", "-"]
