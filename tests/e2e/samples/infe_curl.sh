curl https://api.infe.io/v1/chat/completions \
-H "Authorization: Bearer $INFE_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "infe-pulse",
"messages": [
{"role": "system", "content": "You are a helpful assistant."},
{"role": "user", "content": "What is the capital of France?"}
]
}'
