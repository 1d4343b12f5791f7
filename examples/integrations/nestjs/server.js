import 'reflect-metadata'
import { Controller, Get, Module, Post, Query, Session } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { createCluster } from 'session-mesh'

class UserController {
  read(session) {
    return { user: session.user ?? null }
  }

  async login(session, user) {
    await session.rotate()
    session.user = user
    return { user }
  }

  async logout(session) {
    await session.destroy()
    return { user: null }
  }
}

// What TypeScript makes of `@Get() read(@Session() session)`: this example runs without a compiler.
decorate(UserController, 'read', Get(), Session())
decorate(UserController, 'login', Post('login'), Session(), Query('user'))
decorate(UserController, 'logout', Post('logout'), Session())
Controller()(UserController)

class ShopModule {}
Module({ controllers: [UserController] })(ShopModule)

function decorate({ prototype }, name, route, ...parameters) {
  route(prototype, name, Object.getOwnPropertyDescriptor(prototype, name))
  parameters.forEach((parameter, index) => parameter(prototype, name, index))
}

const cluster = await createCluster({ name: 'shop' })
const app = await NestFactory.create(ShopModule, { logger: ['warn', 'error'] })
app.use(cluster.sessions())

await cluster.ready()
await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
process.once('SIGTERM', () => void app.close().then(() => cluster.close()))
