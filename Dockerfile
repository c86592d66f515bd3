# privkit with its models, in the versions that the tests passed with. Nothing is fetched when it runs:
#   docker build -t privkit .
#   docker run --rm --network none --user "$(id -u):$(id -g)" -v "$PWD:/data" privkit scan patients.csv
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/privkit
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY privkit ./privkit
RUN /opt/privkit/bin/pip install --no-cache-dir --constraint constraints.txt '.[models]'

FROM python:3.11-slim
COPY --from=build /opt/privkit /opt/privkit
RUN useradd --create-home --uid 1000 privkit && mkdir /data && chown privkit /data
ENV PATH="/opt/privkit/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
USER privkit
WORKDIR /data
ENTRYPOINT ["privkit"]
CMD ["--help"]
