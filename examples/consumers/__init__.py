"""A cold store that hears from Kafka, MQTT, a scheduler and the web: one error handler for all."""
